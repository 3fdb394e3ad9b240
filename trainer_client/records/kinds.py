"""The vocabulary of self-play: three tasks (and AZR's optional fourth), two roles.

A task asks for one part of the triplet (program, input, output) given the others
(Absolute Zero, arXiv 2505.03335, section 3.1): deduction for the output, abduction for an input,
induction for the program; `error` (AZR's code_e) asks which error a program raises.
"""

from dataclasses import dataclass
from enum import StrEnum


class Task(StrEnum):
    """What is asked of the solver."""

    DEDUCTION = "deduction"
    ABDUCTION = "abduction"
    INDUCTION = "induction"
    ERROR = "error"


class Role(StrEnum):
    """Who speaks: the one model proposes tasks and solves them."""

    PROPOSE = "propose"
    SOLVE = "solve"


@dataclass(frozen=True, order=True)
class TaskRole:
    """One of the (at most eight) pairs; TRR++ keeps one baseline for each."""

    task: Task
    role: Role

    @property
    def key(self) -> str:
        """The name in metrics and files, for instance ``solve/deduction``."""
        return f"{self.role}/{self.task}"
