"""Saving and restoring a run: what a step leaves behind that the next one needs.

Randomness is derived from the seed and the step (`trainer_client.seeds`), so weights, optimizer,
buffers and the step's number are all there is.
"""

from dataclasses import dataclass
from pathlib import Path

from trainer_client.buffers.buffers import TaskBuffers
from trainer_client.selfplay.arena import Arena
from trainer_client.state.checkpoint import Checkpoint, Snapshot
from trainer_client.state.checkpoints import Checkpoints

BUFFERS = "buffers.jsonl"
"""The file in a checkpoint's `buffers/`."""


@dataclass(frozen=True)
class StateKeeper:
    """Saves an arena's state into the run's checkpoints."""

    checkpoints: Checkpoints

    def save(self, arena: Arena, step: int) -> None:
        """Save everything after a step; the first rank writes, and the others do their parts.

        Raises:
            CheckpointError: the disk is full or the like; earlier checkpoints stand.
        """
        snapshot = Snapshot(
            step=step,
            save_model=lambda folder: export(arena, folder),
            save_buffers=lambda folder: arena.buffers.dump(folder / BUFFERS),
            training=arena.learner.state_dict(),
            state={"version": arena.learner.version, "seed": arena.config.seed},
            ranks=arena.ranks,
        )
        if not arena.ranks.first:
            snapshot.assist()
        arena.ranks.first_says(lambda: self.checkpoints.save(snapshot).step)


def export(arena: Arena, folder: Path) -> None:
    """Write model and tokenizer in Hugging Face layout, on the first rank; all gather them."""
    arena.learner.save_pretrained(folder)
    if arena.ranks.first:
        arena.tokenizer.save_pretrained(str(folder))


def restore(arena: Arena, checkpoint: Checkpoint) -> None:
    """Put the optimizer and the buffers back; the model was loaded from `checkpoint.model`.

    Raises:
        CheckpointError: the checkpoint is damaged or of another configuration.
    """
    arena.learner.load_state_dict(checkpoint.training(arena.learner.room, arena.ranks))
    arena.buffers = TaskBuffers.load(
        checkpoint.buffers / BUFFERS, arena.config.tasks.kinds, arena.config.buffers.capacity
    )
    checkpoint.restore_rng()
    arena.sampler.sync_weights(arena.learner)
