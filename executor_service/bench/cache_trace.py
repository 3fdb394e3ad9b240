"""What self-play asks, as a trace: recorded tasks, in the order of an Absolute Zero step.

A step proposes tasks of three kinds and validates each, estimates the difficulty of every one with
eight sampled answers, and then solves as many tasks of each kind, those of the step before first.
Programs, inputs and outputs are recorded ones where there is a data folder. Who answers what is
made up, and the effect of a cache depends on it:

- A task has a share of right answers between 0 and 1, at random; that of the wrong ones falls with
  their rank (the second is half as frequent as the first, the third a third).
- Four of five induction answers are a text that was never asked before, as a model seldom writes a
  program twice in the same words.
- No proposal is repeated, except where the recorded ones are equal.
- The gold of a deduction is known from its validation and sent along, so that nothing is run for
  it; or, where ``send_gold`` is off, the service computes it for each answer.

The same seed gives the same trace.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from executor_service.bench.drive import operation
from executor_service.bench.records import INDUCTIONS, Sample, Task, is_data, read_tasks, sample
from executor_service.demo import load_tasks
from executor_service.operations import AnyOperation

SEED: Final = 20_250_506
ROLLOUTS: Final = 8
"""Answers sampled for each proposed task."""
_WRONG: Final = 12
"""Wrong answers that a task has."""
_SHOWN: Final = 2
"""An induction's first half of cases is shown to the solver, the other half is judged."""
_FRESH: Final = 0.8
_SEEDS: Final = 4
"""One in so many tasks is in the buffers from the start."""

Batch = list[tuple[str, AnyOperation]]
"""Operations that are asked for at once, each with its kind: ``validate``, or a verify's mode."""


@dataclass(frozen=True)
class TraceShape:
    """How much of a training run is replayed, and how its trainer asks."""

    steps: int
    tasks: int
    """Proposals, and tasks solved, of each kind in a step; 64 in the paper."""
    send_gold: bool = True
    """Whether a deduction brings the output that its answer is compared with."""


class _Solver:
    """Answers one task: right at some rate, else wrong in one of several ways."""

    def __init__(self, chance: random.Random, right: str, others: list[str]) -> None:
        self._chance = chance
        self._rate = chance.random()
        self._right = right
        pool = [text for text in others if text != right] or [right]
        self._wrong = chance.sample(pool, min(_WRONG, len(pool)))
        self._weights = [1 / rank for rank in range(1, len(self._wrong) + 1)]

    def answer(self) -> str:
        if self._chance.random() < self._rate:
            return self._right
        return self._chance.choices(self._wrong, self._weights)[0]


class _Kind:
    """The tasks of one kind: those to be proposed, those in the buffer, and their solvers."""

    def __init__(
        self, name: str, chance: random.Random, tasks: list[Task], *, send_gold: bool = True
    ) -> None:
        self.name = name
        self._send_gold = send_gold
        self._chance = chance
        shuffled = chance.sample(tasks, len(tasks))
        self.buffer = shuffled[: max(1, len(tasks) // _SEEDS)]
        self._new = iter(shuffled[len(self.buffer) :])
        self._last: list[Task] = []
        self._others = [self._answer_to(task) for task in tasks]
        self._solvers: dict[int, _Solver] = {}
        self._attempts = 0

    def propose(self, count: int) -> list[Task]:
        """Take the next recorded tasks; they are in the buffer from the next step on."""
        self._last = [task for task, _ in zip(self._new, range(count), strict=False)]
        return self._last

    def draw(self, count: int) -> list[Task]:
        """Return tasks to solve: the last step's first, then any."""
        newest = self.buffer[-len(self._last) :] if self._last else []
        rest = max(0, count - len(newest))
        return [*newest[:count], *self._chance.choices(self.buffer, k=rest)]

    def end_step(self) -> None:
        self.buffer += self._last

    def validations(self, task: Task) -> Iterator[AnyOperation]:
        for given, _ in task.cases:
            yield operation("validate", program=task.program, imports=task.imports, input=given)

    def attempt(self, task: Task) -> AnyOperation:
        """Return the verification of one sampled answer."""
        solver = self._solvers.get(id(task))
        if solver is None:
            solver = _Solver(self._chance, self._answer_to(task), self._others)
            self._solvers[id(task)] = solver
        answer = solver.answer()
        common: dict[str, Any] = {"mode": self.name, "imports": task.imports}
        if self.name == "induction":
            self._attempts += 1
            if self._chance.random() < _FRESH:
                answer += f"\n# attempt {self._attempts}"
            judged = task.cases[len(task.cases) // _SHOWN :]
            cases = [{"input": given, "output": output} for given, output in judged]
            return operation("verify", program=answer, cases=cases, **common)
        given, output = task.cases[0]
        if self.name == "deduction":
            common["input"] = given
        if self._send_gold:
            common["output"] = output
        return operation("verify", program=task.program, answer=answer, **common)

    def _answer_to(self, task: Task) -> str:
        given, output = task.cases[0]
        return {"deduction": output, "abduction": given, "induction": task.program}[self.name]


def make_trace(folder: Path | None, shape: TraceShape, seed: int = SEED) -> list[Batch]:
    """Return what is asked for, batch by batch, in ``shape`` or as much of it as there is data for.

    Args:
        folder: Recorded tasks; None for the shipped sample.
        shape: Steps, tasks in each, and how they are asked for.
        seed: Of everything that is at random.

    Raises:
        ConfigurationError: There are no usable tasks in ``folder``.
    """
    chance = random.Random(seed)  # noqa: S311 - a simulation, no secret
    triplets = [_triplet(number, task) for number, task in enumerate(sample(folder))]
    half = len(triplets) // 2
    kinds = [
        _Kind("deduction", chance, triplets[:half], send_gold=shape.send_gold),
        _Kind("abduction", chance, triplets[half:]),
        _Kind("induction", chance, _inductions(folder) or triplets),
    ]
    batches: list[Batch] = []
    for _ in range(shape.steps):
        drawn = [(kind, kind.draw(shape.tasks)) for kind in kinds]
        for kind, solved in drawn:
            proposed = kind.propose(shape.tasks)
            batches.append([("validate", v) for task in proposed for v in kind.validations(task)])
            batches.append(
                [(kind.name, kind.attempt(task)) for task in proposed for _ in range(ROLLOUTS)]
            )
            batches.append([(kind.name, kind.attempt(task)) for task in solved])
            kind.end_step()
    return [batch for batch in batches if batch]


def _triplet(number: int, task: Sample) -> Task:
    return Task(f"triplet {number}", task.program, task.imports, ((task.input, task.output),))


def _inductions(folder: Path | None) -> list[Task]:
    """Return tasks with several cases, all of them data."""
    if folder is None:
        tasks = [
            Task(task.name, task.program, (), tuple((case.input, case.output) for case in cases))
            for task in load_tasks()
            if task.expect == "valid" and len(cases := task.cases) > 1
        ]
    else:
        tasks = [
            task
            for name in INDUCTIONS
            if (folder / name).is_file()
            for task in read_tasks(folder / name)
        ]
    return [task for task in tasks if all(is_data(*case) for case in task.cases)]
