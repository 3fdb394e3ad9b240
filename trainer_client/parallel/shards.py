"""Tensors on disk in shards, one file a rank, and back onto any number of ranks.

torch.distributed.checkpoint plans who writes and who reads what. The files are safetensors, whose
headers say which part of which tensor they hold: nothing in them is a pickled object.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from warnings import catch_warnings, filterwarnings

import torch
import torch.distributed as dist
from torch import Tensor
from torch.distributed.checkpoint.api import CheckpointException
from torch.distributed.checkpoint.hf_storage import (
    HuggingFaceStorageReader,
    HuggingFaceStorageWriter,
)
from torch.distributed.checkpoint.metadata import TensorStorageMetadata
from torch.distributed.checkpoint.state_dict_loader import load
from torch.distributed.checkpoint.state_dict_saver import save

from trainer_client.errors import CheckpointError

Room = Callable[[str, torch.Size, torch.dtype], Tensor]
"""Makes the tensor that receives a name's values: whole, or divided among the ranks."""


def save_shards(tensors: Mapping[str, Tensor], folder: Path, group: dist.ProcessGroup) -> None:
    """Write this rank's part of divided tensors, and its share of those that all ranks have.

    Raises:
        CheckpointError: on all ranks, where one could not write.
    """
    writer = HuggingFaceStorageWriter(str(folder), save_distributed=True)
    try:
        save(dict(tensors), storage_writer=writer, process_group=group)
    except CheckpointException as error:
        raise CheckpointError(f"{folder} cannot be written: {error}") from error


def load_shards(folder: Path, room: Room, group: dist.ProcessGroup | None) -> dict[str, Tensor]:
    """Read all tensors of a folder, by name; each rank its part of those that `room` divides.

    Raises:
        CheckpointError: the folder is not what `save_shards` wrote.
    """
    try:
        reader = HuggingFaceStorageReader(str(folder))
        found = {
            name: room(name, each.size, each.properties.dtype)
            for name, each in reader.read_metadata().state_dict_metadata.items()
            if isinstance(each, TensorStorageMetadata)
        }
        # What is loaded is looked up in it again: a dict of its own, for the planner changes it.
        target: dict[str, object] = dict(found)
        with catch_warnings():
            # Alone is what we mean.
            filterwarnings("ignore", message="torch.distributed is disabled")
            load(target, storage_reader=reader, process_group=group, no_dist=group is None)
    except (CheckpointException, OSError, ValueError, KeyError) as error:
        raise CheckpointError(f"{folder} cannot be read: {error}") from error
    return found
