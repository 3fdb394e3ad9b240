"""The task buffers: a bounded list of valid problems for each task, the newest kept."""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from random import Random
from typing import Self

from pydantic import BaseModel

from trainer_client.buffers.json_lines import read_rows
from trainer_client.buffers.program_text import normalised
from trainer_client.buffers.view import BufferView
from trainer_client.errors import DataError, EmptyBuffer
from trainer_client.records.kinds import Task
from trainer_client.records.problems import InductionProblem, Problem, Triplet


class _Row(BaseModel):
    """A line of a dump. No triplet has an induction problem's fields, nor the other way round."""

    task: Task
    problem: Triplet | InductionProblem


class TaskBuffers:
    """One buffer per task; problems are added at the end and leave, when it is full, in front."""

    def __init__(self, tasks: Iterable[Task], capacity: int) -> None:
        """Make empty buffers.

        Args:
            tasks: the tasks that are played.
            capacity: problems kept per task.
        """
        self._capacity = capacity
        self._problems: dict[Task, list[Problem]] = {task: [] for task in tasks}
        # How many entries of all buffers together hold a program, by its normalised text.
        self._programs: Counter[str] = Counter()

    def add(self, task: Task, problem: Problem) -> None:
        """Append a problem; over the capacity, the task's oldest leaves."""
        buffer = self._problems[task]
        buffer.append(problem)
        self._programs[normalised(problem.program)] += 1
        if len(buffer) > self._capacity:
            gone = normalised(buffer.pop(0).program)
            self._programs[gone] -= 1
            if not self._programs[gone]:
                del self._programs[gone]

    def view(self, task: Task) -> BufferView:
        """Return the buffers as the task's proposer sees them, without copying them.

        Induction problems are made from the programs of deduction and abduction; where neither is
        played, from those of the task itself.
        """
        sources = [
            self._problems[source]
            for source in (Task.DEDUCTION, Task.ABDUCTION)
            if source in self._problems
        ]
        own = self._problems[task]
        return BufferView(own, tuple(sources or [own]))

    def problems(self, task: Task) -> Sequence[Problem]:
        """Return a task's problems, oldest first; the buffer itself, not to be changed."""
        return self._problems[task]

    def contains_program(self, program: str) -> bool:
        """Whether any buffer holds the program; blank lines and trailing blanks do not count."""
        return normalised(program) in self._programs

    def sample(
        self, task: Task, count: int, rng: Random, newest_born: int | None = None
    ) -> list[Problem]:
        """Draw problems to be solved.

        Those born at ``newest_born`` or later come first (all of them, or a uniform choice when
        they are too many), then a uniform choice of the others, without replacement. Where the
        buffer holds fewer than ``count``, the rest is drawn from all of it, with repetition.

        Args:
            task: whose problems.
            count: how many.
            rng: where chance comes from.
            newest_born: the step whose problems come first; None: all count alike.

        Raises:
            EmptyBuffer: the buffer holds nothing.
        """
        buffer = self._problems[task]
        if not buffer:
            raise EmptyBuffer(f"the buffer of {task} is empty: there is nothing to solve")
        newest: list[Problem] = []
        others: list[Problem] = []
        for problem in buffer:
            is_new = newest_born is not None and problem.born >= newest_born
            (newest if is_new else others).append(problem)
        chosen: list[Problem] = rng.sample(newest, min(count, len(newest)))
        chosen += rng.sample(others, min(count - len(chosen), len(others)))
        return chosen + rng.choices(buffer, k=count - len(chosen))

    def dump(self, path: Path) -> None:
        """Write all problems as JSON lines, by task, oldest first."""
        with path.open("w", encoding="utf-8") as file:
            for task, buffer in self._problems.items():
                for problem in buffer:
                    file.write(json.dumps({"task": task, "problem": asdict(problem)}) + "\n")

    @classmethod
    def load(cls, path: Path, tasks: Iterable[Task], capacity: int) -> Self:
        """Read what `dump` wrote.

        Raises:
            DataError: the file cannot be read; the message names the line and the field.
        """
        buffers = cls(tasks, capacity)
        for place, row in read_rows(path, _Row):
            if row.task not in buffers._problems:
                raise DataError(f"{place}: task: {row.task} is not played in this run")
            buffers.add(row.task, row.problem)
        return buffers
