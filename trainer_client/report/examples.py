"""Examples: tasks of the buffers by birth step, and sampled rollouts by step.

Which ones are shown depends on steps alone, never on how they look or went.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Final

from trainer_client.telemetry.role_metrics import TASK_ROLES

BIRTHS: Final = 4
"""Birth steps shown of each task: first, last, and two between."""
ROLLOUTS: Final = 2
"""Rollouts shown of each task-role and step."""
MAX_TEXT: Final = 4000
"""Characters shown of a text."""


@dataclass(frozen=True)
class Example:
    """A task of a buffer: its birth step, program, message if it has one, and its cases."""

    born: int
    program: str
    message: str
    cases: list[tuple[str, str]]


def tasks_by_birth(lines: Sequence[dict[str, Any]]) -> list[tuple[str, list[Example]]]:
    """Return for each task its examples from old to new, from the lines of a buffer's dump."""
    found = []
    rows = [(str(line.get("task", "")), line.get("problem")) for line in lines]
    usable = [(task, _example(problem)) for task, problem in rows if isinstance(problem, dict)]
    usable.sort(key=lambda row: (row[0], row[1].born))
    for task, group in groupby(usable, key=lambda row: row[0]):
        by_birth = {
            born: next(same)[1] for born, same in groupby(group, key=lambda row: row[1].born)
        }
        births = sorted(by_birth)
        last = len(births) - 1
        chosen = sorted({round(last * part / (BIRTHS - 1)) for part in range(BIRTHS)})
        found.append((task, [by_birth[births[at]] for at in chosen]))
    return found


def rollouts_by_role(lines: Sequence[dict[str, Any]]) -> list[tuple[str, list[dict[str, Any]]]]:
    """Return for each task-role the first `ROLLOUTS` of each step that the lines hold."""
    found = []
    for role in TASK_ROLES:
        mine = [line for line in lines if line.get("role") == role.key]
        shown: list[dict[str, Any]] = []
        for _, same in groupby(mine, key=lambda line: line.get("step")):
            shown += list(same)[:ROLLOUTS]
        if shown:
            found.append((role.key, shown))
    return found


def visible(text: object) -> str:
    """Return a model's text as it can be looked at: cut, with what is not printable spelt out.

    Control characters, lone surrogates and marks that turn the direction of writing would hide or
    forge what stands beside them.
    """
    whole = str(text)
    shown = "".join(
        c if c in "\n\t" or c.isprintable() else repr(c)[1:-1] for c in whole[:MAX_TEXT]
    )
    left = len(whole) - MAX_TEXT
    return f"{shown}\n[{left} more characters]" if left > 0 else shown


def _example(problem: dict[str, Any]) -> Example:
    """Read a problem of either kind."""
    shown = [*problem.get("given", ()), *problem.get("hidden", ())] or [problem]
    born = problem.get("born", 0)
    return Example(
        born=born if isinstance(born, int) else 0,
        program=str(problem.get("program", "")),
        message=str(problem.get("message", "")),
        cases=[(str(case.get("input", "")), str(case.get("output", ""))) for case in shown],
    )
