"""Reading what the bench runs: a folder of data that nobody here wrote, or the shipped sample.

Files are read line by line; nothing of them is evaluated. A file that is absent is left out, and
the report says so.
"""

import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from executor_service.bench.shapes import argument_list, shape_of_call
from executor_service.demo import load_tasks
from executor_service.errors import ConfigurationError, LiteralError
from executor_service.typed.literals import parse_arguments, parse_literal

TRIPLETS: Final = ("7b_coder_seed_io.jsonl", "3b_coder_seed_io.jsonl")
INDUCTIONS: Final = ("7b_coder_code_f_seed_io.jsonl", "3b_coder_code_f_seed_io.jsonl")
MBPP: Final = "MbppPlus-first190.jsonl"
HUMANEVAL: Final = "HumanEval.jsonl.gz"


@dataclass(frozen=True)
class Task:
    """A program with the inputs and outputs that were recorded for it."""

    name: str
    """File and line, for a report."""
    program: str
    imports: tuple[str, ...]
    cases: tuple[tuple[str, str], ...]
    """(argument list, recorded output) pairs; one for a triplet."""


@dataclass(frozen=True)
class CanonicalTask:
    """A benchmark's own solution and the inputs it is tried on."""

    name: str
    program: str
    entry_point: str
    inputs: tuple[str, ...]
    untyped: bool = False
    """The prompt did not show the types of the arguments: JSON's own were taken."""


@dataclass(frozen=True)
class Sample:
    """A task whose one recorded output is a literal: what speed and overload are measured with."""

    program: str
    imports: tuple[str, ...]
    input: str
    output: str


def present(folder: Path) -> tuple[list[str], list[str]]:
    """Return the names of the data files that are in ``folder`` and of those that are not.

    Raises:
        ConfigurationError: None of them is there.
    """
    names = [*TRIPLETS, *INDUCTIONS, MBPP, HUMANEVAL]
    there = [name for name in names if (folder / name).is_file()]
    if not there:
        raise ConfigurationError(f"{folder} has none of {', '.join(names)}")
    return there, [name for name in names if name not in there]


def read_tasks(path: Path) -> Iterator[Task]:
    """Yield the tasks of a file of triplets or of induction tasks.

    Raises:
        ConfigurationError: A line is not such a record; the message names it.
    """
    for number, record in _lines(path):
        try:
            if "inputs" in record:
                cases = tuple(zip(record["inputs"], record["outputs"], strict=True))
            else:
                cases = ((record["input"], record["output"]),)
            yield Task(f"{path.stem}:{number}", record["snippet"], tuple(record["imports"]), cases)
        except (KeyError, TypeError, ValueError) as error:
            raise ConfigurationError(f"{path.name}, line {number}: {error!r}") from error


def read_mbpp(path: Path) -> Iterator[CanonicalTask]:
    """Yield the tasks of MBPP+, their inputs as argument lists.

    JSON has lists alone where a task wants tuples or sets; the types are those of the call that
    the task's prompt shows.
    """
    for number, record in _lines(path):
        try:
            shape = shape_of_call(record["prompt"], record["entry_point"])
            inputs = tuple(
                argument_list(shape, arguments)
                for arguments in (*record["base_input"], *record["plus_input"])
            )
            yield CanonicalTask(
                record["task_id"],
                record["canonical_solution"],
                record["entry_point"],
                inputs,
                shape is None,
            )
        except (KeyError, TypeError) as error:
            raise ConfigurationError(f"{path.name}, line {number}: {error!r}") from error


def read_humaneval(path: Path) -> Iterator[CanonicalTask]:
    """Yield the tasks of HumanEval as programs that check themselves: ``check(solution)``."""
    for number, record in _lines(path):
        try:
            program = "\n".join((record["prompt"] + record["canonical_solution"], record["test"]))
            name, solution = record["task_id"], record["entry_point"]
        except (KeyError, TypeError) as error:
            raise ConfigurationError(f"{path.name}, line {number}: {error!r}") from error
        yield CanonicalTask(name, program, "check", (solution,))


def sample(folder: Path | None) -> list[Sample]:
    """Return tasks of the data folder, or the shipped sample where there is none.

    Only those whose input and recorded output are data, so that each is one run to verify.
    """
    if folder is None:
        tasks = [
            Sample(task.program, (), task.input, task.output)
            for task in load_tasks()
            if task.expect == "valid" and task.output is not None
        ]
    else:
        tasks = [
            Sample(task.program, task.imports, *task.cases[0])
            for name in TRIPLETS
            if (folder / name).is_file()
            for task in read_tasks(folder / name)
        ]
    chosen = [task for task in tasks if is_data(task.input, task.output)]
    if not chosen:
        raise ConfigurationError("no task whose input and output are literals")
    return chosen


def is_data(given: str, output: str) -> bool:
    """Tell whether an argument list and an output are literals, so that nothing is run for them."""
    try:
        parse_arguments(given)
        parse_literal(output)
    except LiteralError:
        return False
    return True


def _lines(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield (line number from 1, object)."""
    try:
        with gzip.open(path, "rt") if path.suffix == ".gz" else path.open() as file:
            for number, line in enumerate(file, start=1):
                record = json.loads(line)
                if not isinstance(record, dict):
                    raise ConfigurationError(f"{path.name}, line {number}: not an object")
                yield number, record
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"{path}: {error}") from error
