"""`World`: where a demo's problems come from."""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Protocol

from trainer_client.records.kinds import Task
from trainer_client.records.problems import Problem


@dataclass(frozen=True)
class Drawn:
    """A problem with its gold answer, and a way to find it.

    Attributes:
        problem: the answer is part of it.
        thought: what a solver writes before that answer; empty where it answers at once.
    """

    problem: Problem
    thought: str = ""


class World(Protocol):
    """A grammar of programs with an interpreter of our own: no program text is ever run here."""

    @property
    def pieces(self) -> Sequence[str]:
        """Python text that is one token each, besides the prompt set's marks."""
        ...

    @property
    def held_out_steps(self) -> Sequence[float]:
        """Weights of 1, 2, ... steps among the programs of the held-out problems."""
        ...

    def draw(self, rng: Random, task: Task, step_weights: Sequence[float]) -> Drawn:
        """Draw one problem; ``step_weights[i]`` is the weight of programs with i + 1 steps."""
        ...
