"""The sample that ``make demo`` sends through the service: sixty tasks and a set of forgeries.

``tasks.jsonl`` holds fifty deterministic tasks over the typed values of the contract and ten that
must be refused, each for a stated reason. ``forgeries.jsonl`` holds attempts to be judged
``correct`` without solving anything. Both are JSON lines with the fields of `DemoTask` and
`Forgery`; a field that does not apply to a task is left out.

Nothing here runs a program. The programs of the refused tasks and of the forgeries are hostile
on purpose: hand them to the service, never to ``exec``.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources
from typing import Any

# A text too long to ship is written {"repeat": [text, times]}; more than this is a slip.
MAX_REPEATED_CHARS = 1_000_000


@dataclass(frozen=True)
class Case:
    """One input of a task as an argument list, and the repr of what the program makes of it."""

    input: str
    output: str


@dataclass(frozen=True)
class DemoTask:
    """A task and what the service must say of it.

    ``expect`` is ``valid`` or the reason for which validation must refuse the task. A valid task
    has an ``output``, further ``cases`` for induction, a plausible ``wrong_answer`` (a literal)
    and a ``wrong_input`` (an argument list that maps to another output); a refused one has none.

    A nondeterministic task names the ``factor`` that breaks it. ``also`` lists factors that a
    report may name instead, where a host cannot vary the two apart (a second hash seed always
    means a second process). ``policy`` and ``limits`` go into the request as they are.
    """

    name: str
    program: str
    input: str
    expect: str
    output: str | None = None
    cases: tuple[Case, ...] = ()
    wrong_answer: str | None = None
    wrong_input: str | None = None
    factor: str | None = None
    also: tuple[str, ...] = ()
    policy: dict[str, Any] | None = None
    limits: dict[str, float] | None = None


@dataclass(frozen=True)
class Forgery:
    """An attack, the operation that carries it, and the statuses (or reasons) it may end with."""

    name: str
    what: str
    operation: dict[str, Any]
    must: tuple[str, ...]


def load_tasks() -> list[DemoTask]:
    """Read the sixty tasks in file order.

    Raises:
        ValueError: the shipped file is damaged; the message names the line.
    """
    tasks = []
    for where, record in _records("tasks.jsonl"):
        try:
            cases = tuple(Case(**case) for case in record.pop("cases", []))
            also = tuple(record.pop("also", []))
            tasks.append(DemoTask(**record, cases=cases, also=also))
        except TypeError as error:
            raise ValueError(f"{where}: {error}") from error
    return tasks


def load_forgeries() -> list[Forgery]:
    """Read the forgeries in file order, with repeated texts written out.

    Raises:
        ValueError: the shipped file is damaged; the message names the line.
    """
    forgeries = []
    for where, record in _records("forgeries.jsonl"):
        try:
            must = tuple(record.pop("must"))
            operation = {key: expand(value) for key, value in record.pop("operation").items()}
            forgeries.append(Forgery(**record, operation=operation, must=must))
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"{where}: {error!r}") from error
    return forgeries


def expand(value: object) -> object:
    """Write out every ``{"repeat": [text, times]}`` inside a JSON value as that long text.

    Raises:
        ValueError: the text would be longer than `MAX_REPEATED_CHARS`.
    """
    if isinstance(value, list):
        return [expand(item) for item in value]
    if not isinstance(value, dict):
        return value
    if value.keys() != {"repeat"}:
        return {key: expand(item) for key, item in value.items()}
    text, times = value["repeat"]
    if len(text) * times > MAX_REPEATED_CHARS:
        raise ValueError(f"a text repeated to {len(text) * times} characters is too long")
    return str(text) * int(times)


def _records(filename: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield each line of a shipped file as (place for messages, object)."""
    text = resources.files(__name__).joinpath(filename).read_text(encoding="utf-8")
    # Not splitlines: it would also cut at the separators that a JSON string may hold.
    for number, line in enumerate(text.rstrip("\n").split("\n"), start=1):
        where = f"{filename}, line {number}"
        try:
            record = json.loads(line)
        except ValueError as error:
            raise ValueError(f"{where}: {error}") from error
        if not isinstance(record, dict):
            raise ValueError(f"{where}: not an object")
        yield where, record
