"""What one step of an AZR training run asks of the verifier, in processor seconds.

The settings are those of the paper: B tasks for each of six task-roles (deduction, abduction and
induction, proposed and solved), G rollouts of each valid proposal to estimate its difficulty, ten
inputs for each proposed induction task and five hidden cases to solve it.
"""

import math
from dataclasses import dataclass, field
from typing import Final

INPUTS: Final = 10
"""Inputs that are proposed for an induction task; each is validated with the program."""
CASES: Final = 5
"""Hidden cases of an induction task."""
VALIDATE, GIVEN, ABDUCTION, INDUCTION = (
    "validate", "deduction, output given", "abduction", f"induction, {CASES} cases",
)  # fmt: skip
KIND_MS: Final = {VALIDATE: 6.65, GIVEN: 0.31, ABDUCTION: 2.99, INDUCTION: 10.85}
"""Processor milliseconds of an operation in all processes of the stack: benchmarks/README.md."""


@dataclass(frozen=True)
class Training:
    """A training run's settings, and what programs cost."""

    batch: int = 64
    """Tasks for each task-role and step."""
    rollouts: int = 8
    """Rollouts of each valid proposal."""
    valid: float = 1.0
    """Share of the proposals that are valid; 1 is the most work."""
    endless: float = 0.0
    """Share of the programs that a model writes which never end."""
    cpu_limit: float = 5.0
    """Seconds after which such a program is ended."""
    kind_ms: dict[str, float] = field(default_factory=lambda: dict(KIND_MS))

    def operations(self) -> dict[str, tuple[str, float]]:
        """Return (kind, how many in a step) by what they are for."""
        proposed, rolled = self.batch, self.batch * self.valid * self.rollouts
        return {
            "validate proposed deduction and abduction tasks": (VALIDATE, 2 * proposed),
            "validate the inputs of proposed induction tasks": (VALIDATE, INPUTS * proposed),
            "difficulty of deduction tasks": (GIVEN, rolled),
            "difficulty of abduction tasks": (ABDUCTION, rolled),
            "difficulty of induction tasks": (INDUCTION, rolled),
            "solved deduction tasks": (GIVEN, proposed),
            "solved abduction tasks": (ABDUCTION, proposed),
            "solved induction tasks": (INDUCTION, proposed),
        }

    def endless_seconds(self) -> float:
        """Return what programs that never end cost in a step.

        Models write programs when they propose deduction and abduction tasks, which end with the
        first run, and when they solve induction tasks, where every case is a run.
        """
        proposed = 2 * self.batch
        answers = self.batch * (1 + self.valid * self.rollouts)
        return self.endless * self.cpu_limit * (proposed + answers * CASES)

    def seconds(self) -> float:
        """Return the processor seconds of a step."""
        work = sum(self.kind_ms[kind] * count for kind, count in self.operations().values())
        return work / 1000 + self.endless_seconds()

    def cores(self, step_seconds: float, share: float) -> int:
        """Return how many processors keep verification within ``share`` of a step."""
        return max(1, math.ceil(self.seconds() / (share * step_seconds)))
