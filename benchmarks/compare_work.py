"""The work of `compare.py`: answers to be judged, made from recorded triplets."""

import itertools
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from executor_service.bench.records import INDUCTIONS, TRIPLETS, Task, read_tasks
from executor_service.demo import load_tasks
from executor_service.errors import ConfigurationError

Mode = Literal["deduction", "abduction", "induction"]
MODES: Final[tuple[Mode, ...]] = ("deduction", "abduction", "induction")
MOST_CASES: Final = 5
"""Cases of an induction, as Absolute Zero judges one."""
RIGHT_SHARE: Final = 0.5


@dataclass(frozen=True)
class Item:
    """One answer to be judged.

    Attributes:
        mode: What the answer is: an output, an argument list, or a program.
        name: Where it comes from, for a report.
        program: Python source that defines ``f``; an induction's answer.
        cases: (argument list, output) pairs: the question, and the gold where there is one. The
            output of a deduction and the input of an abduction are what was recorded; nobody who
            judges is told.
        answer: The answer of a deduction or an abduction.
        imports: Lines that go before the program.
    """

    mode: Mode
    name: str
    program: str
    cases: tuple[tuple[str, str], ...]
    answer: str = ""
    imports: tuple[str, ...] = ()

    def operation(self) -> dict[str, Any]:
        """Return the body of ``POST /v1/verify``; a deduction's gold is computed, as elsewhere."""
        body: dict[str, Any] = {"mode": self.mode, "program": self.program}
        if self.imports:
            body["imports"] = list(self.imports)
        given, output = self.cases[0]
        match self.mode:
            case "deduction":
                return body | {"input": given, "answer": self.answer}
            case "abduction":
                return body | {"output": output, "answer": self.answer}
        pairs = [{"input": given, "output": output} for given, output in self.cases]
        return body | {"cases": pairs}


def work(folder: Path | None, count: int, seed: int) -> list[Item]:
    """Return ``count`` answers, a third of each mode, half of them the recorded ones.

    The others are the answer to another task, so that they are of the kind that models write.

    Args:
        folder: AZR's recorded tasks; None: the shipped sample.
        count: How many; the tasks are used again where they do not suffice.
        seed: Of which tasks, which answers and their order.

    Raises:
        ConfigurationError: The folder has none of the files.
    """
    draw = random.Random(seed)  # noqa: S311 - which tasks are measured is no secret
    single, several = _tasks(folder)
    draw.shuffle(single)
    draw.shuffle(several)
    endless = {
        "deduction": itertools.cycle(single),
        "abduction": itertools.cycle(single),
        "induction": itertools.cycle(several),
    }
    made = [
        _item(mode, next(endless[mode]), single, draw)
        for mode in itertools.islice(itertools.cycle(MODES), count)
    ]
    draw.shuffle(made)
    return made


def _tasks(folder: Path | None) -> tuple[list[Task], list[Task]]:
    """Return tasks of one case, and tasks of several."""
    if folder is None:
        shipped = [
            Task(
                task.name, task.program, (),
                ((task.input, task.output), *((case.input, case.output) for case in task.cases)),
            )
            for task in load_tasks()
            if task.expect == "valid" and task.output is not None
        ]  # fmt: skip
        return shipped, list(shipped)
    single = list(_recorded(folder, TRIPLETS))
    if not single:
        raise ConfigurationError(f"{folder} has neither of {', '.join(TRIPLETS)}")
    return single, list(_recorded(folder, INDUCTIONS)) or list(single)


def _recorded(folder: Path, names: Sequence[str]) -> Iterator[Task]:
    """Yield the tasks of the files that are there, without the cases whose record is empty."""
    for name in names:
        if not (folder / name).is_file():
            continue
        for task in read_tasks(folder / name):
            cases = tuple((given, output) for given, output in task.cases if output.strip())
            if cases:
                yield Task(task.name, task.program, task.imports, cases)


def _item(mode: Mode, task: Task, others: Sequence[Task], draw: random.Random) -> Item:
    right = draw.random() < RIGHT_SHARE
    other = task if right else draw.choice(others)
    if mode == "induction":
        cases = task.cases[:MOST_CASES]
        return Item(mode, task.name, other.program, cases, imports=other.imports)
    answer = other.cases[0][mode == "deduction"]
    return Item(mode, task.name, task.program, task.cases[:1], answer, task.imports)
