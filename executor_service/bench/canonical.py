"""Benchmarks' own solutions: each must reproduce itself on every input, through induction.

MBPP+: an execute with two replicas gives the outputs; an induction with these outputs as the
cases must then be correct in every case, under typed equality. HumanEval: each solution must load
and pass its own checks.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, Final

from executor_service.bench.data import largest_limits
from executor_service.bench.drive import carry_out, for_each, operation, status_of
from executor_service.bench.records import (
    HUMANEVAL,
    MBPP,
    CanonicalTask,
    read_humaneval,
    read_mbpp,
)
from executor_service.service import EmbeddedService

_CHUNK: Final = 64
"""Inputs per request: far below what a server takes, so that few values are held at a time."""


@dataclass
class CanonicalCounts:
    """What came of one benchmark's solutions."""

    tasks: int = 0
    inputs: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    """Run statuses of the first pass."""
    cases: Counter[str] = field(default_factory=Counter)
    """Case statuses of the induction."""
    whole: int = 0
    """Tasks of which every input has a value and every case is correct."""
    failures: list[tuple[str, str]] = field(default_factory=list)
    """(task, what is not as it should be)."""
    untyped: list[str] = field(default_factory=list)
    """Tasks whose prompt did not show the types of the arguments."""


async def run_canonical(
    service: EmbeddedService, folder: Path, advance: Callable[[int], None]
) -> dict[str, CanonicalCounts]:
    """Run the benchmarks of ``folder``; ``advance`` is told how many inputs are done."""
    found: dict[str, CanonicalCounts] = {}
    if (folder / MBPP).is_file():
        counts = found["MBPP+"] = CanonicalCounts()

        async def reproduce(task: CanonicalTask, counts: CanonicalCounts = counts) -> None:
            await _reproduce(service, task, counts, advance)

        await for_each(read_mbpp(folder / MBPP), reproduce, 2)
    if (folder / HUMANEVAL).is_file():
        counts = found["HumanEval"] = CanonicalCounts()

        async def check(task: CanonicalTask, counts: CanonicalCounts = counts) -> None:
            await _check(service, task, counts)
            advance(1)

        await for_each(read_humaneval(folder / HUMANEVAL), check, service.pool.slots * 2)
    for counts in found.values():
        counts.failures.sort()
    return found


async def _reproduce(
    service: EmbeddedService,
    task: CanonicalTask,
    counts: CanonicalCounts,
    advance: Callable[[int], None],
) -> None:
    """Run one solution of MBPP+ on all its inputs, then verify it on what it gave."""
    common = {
        "program": task.program,
        "entry_point": task.entry_point,
        "limits": largest_limits(service.settings),
    }
    counts.tasks += 1
    if task.untyped:
        counts.untyped.append(task.name)
    troubles: Counter[str] = Counter()
    for inputs in _chunks(task.inputs):
        first = await carry_out(service, operation("execute", inputs=inputs, replicas=2, **common))
        if "outcomes" not in first:
            troubles[f"execute: {first['message'][:150]}"] += len(inputs)
            counts.outcomes["unacceptable"] += len(inputs)
            continue
        cases = []
        for given, outcome in zip(inputs, first["outcomes"], strict=True):
            status = outcome["status"] if outcome["agree"] else "nondeterministic"
            counts.outcomes[status] += 1
            if status == "ok":
                cases.append({"input": given, "output": outcome["output"]})
            else:
                troubles[_why(status, outcome)] += 1
        if cases:
            await _verify(service, common, cases, counts, troubles)
        counts.inputs += len(inputs)
        advance(len(inputs))
    counts.whole += not troubles
    counts.failures += [(task.name, f"{text} ({number} inputs)") for text, number in
                        troubles.most_common(3)]  # fmt: skip


async def _verify(
    service: EmbeddedService, common: dict[str, Any], cases: list[dict[str, str]],
    counts: CanonicalCounts, troubles: Counter[str],
) -> None:  # fmt: skip
    result = await carry_out(service, operation("verify", mode="induction", cases=cases, **common))
    if result.get("cases") is None:
        counts.cases[result["status"]] += len(cases)
        troubles[f"induction: {result['status']} {result['message'][:150]}"] += len(cases)
        return
    wrong = 0
    for case in result["cases"]:
        counts.cases[case["status"]] += 1
        wrong += case["correct"] is not True
    if wrong:
        troubles[f"induction: {result['message'][:150]}"] += wrong


def _why(status: str, outcome: dict[str, Any]) -> str:
    if status == "nondeterministic":
        return "nondeterministic: the replicas disagree"
    error = outcome["error"] or {"type": "", "message": ""}
    return f"{status}: {error['type']} {error['message'][:100]}"


async def _check(service: EmbeddedService, task: CanonicalTask, counts: CanonicalCounts) -> None:
    """Run one solution of HumanEval against its own checks."""
    result = await carry_out(
        service,
        operation(
            "execute",
            program=task.program,
            entry_point=task.entry_point,
            inputs=task.inputs,
            limits=largest_limits(service.settings),
        ),
    )
    status = status_of(result)
    counts.tasks += 1
    counts.inputs += 1
    counts.outcomes[status] += 1
    counts.whole += status == "ok"
    if status != "ok":
        outcomes = result.get("outcomes")
        why = _why(status, outcomes[0]) if outcomes else str(result["message"])
        counts.failures.append((task.name, why))


def _chunks(inputs: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    source = iter(inputs)
    while chunk := tuple(islice(source, _CHUNK)):
        yield chunk
