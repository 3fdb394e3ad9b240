"""The small demo's world: texts over a to f, answered at once."""

from collections.abc import Sequence
from random import Random

from trainer_client.records.kinds import Task
from trainer_client.tiny.heldout import draw_problem
from trainer_client.tiny.tokenizer import PYTHON_PIECES
from trainer_client.tiny.worlds.world import Drawn


class StringWorld:
    """Programs of `trainer_client.tiny.grammar`."""

    pieces: Sequence[str] = PYTHON_PIECES
    held_out_steps: Sequence[float] = (1, 1, 1)
    """The warm-up has seen none with 3."""

    def draw(self, rng: Random, task: Task, step_weights: Sequence[float]) -> Drawn:
        """Draw one problem."""
        return Drawn(draw_problem(rng, task, step_weights))
