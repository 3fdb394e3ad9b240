"""Who is told how the buffers fill while a run is seeded."""

from collections.abc import Callable

from trainer_client.records.kinds import Task

SeedingProgress = Callable[[Task, int, int], None]
"""Told the task, how many entries its buffer holds and how many it shall hold."""
