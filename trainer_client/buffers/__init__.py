"""The task buffers: what has been proposed so far, and AZR's files in and out."""

from trainer_client.buffers.buffers import TaskBuffers
from trainer_client.buffers.view import BufferView

__all__ = ["BufferView", "TaskBuffers"]
