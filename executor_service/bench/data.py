"""Real input: every recorded triplet is validated, and run through the modes that apply to it.

A triplet *reproduces* when a deduction whose answer is the recorded output is ``correct``. Every
triplet that does not is named with the reason: the program is nondeterministic (and by what), the
record is empty or was cut, the value has no typed form, a limit was met.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from executor_service.bench.drive import Result, carry_out, for_each, operation, status_of
from executor_service.bench.records import INDUCTIONS, TRIPLETS, Task, read_tasks
from executor_service.service import EmbeddedService
from executor_service.settings import Settings

_WIDTH: Final = 4
"""Tasks under way per slot."""
_CUT_HEAD: Final = 200
"""AZR records at most 400 characters of an output: the first and the last 200."""


@dataclass(frozen=True)
class Judged:
    """What the service said of one triplet."""

    name: str
    validation: str
    deduction: str
    abduction: str
    factor: str | None
    """What a nondeterministic program depends on."""
    reason: str
    """Why the record is not reproduced; a note on the record where the program is to blame."""
    computed: str | None
    """The output, where validation accepted the triplet."""

    @property
    def reproduced(self) -> bool:
        """Tell whether the triplet is a valid task whose record is right."""
        return self.factor is None and not self.reason


@dataclass
class Counts:
    """The statuses of one source, by operation, and its triplets that are not reproduced."""

    triplets: int = 0
    reproduced: int = 0
    statuses: dict[str, Counter[str]] = field(default_factory=dict)
    nondeterministic: list[tuple[str, str]] = field(default_factory=list)
    """(triplet, factor)."""
    others: list[tuple[str, str]] = field(default_factory=list)
    """(triplet, reason)."""
    inductions: list[tuple[str, str]] = field(default_factory=list)
    """(task, reason) of the inductions that fail although their cases were mended."""

    def count(self, what: str, status: str) -> None:
        """Count one result."""
        self.statuses.setdefault(what, Counter())[status] += 1


async def run_data(
    service: EmbeddedService, folder: Path, advance: Callable[[int], None]
) -> dict[str, Counts]:
    """Run all triplets and induction tasks of ``folder``; return the counts of each file.

    ``advance`` is told how many triplets are done.
    """
    found: dict[str, Counts] = {}
    for name in (*TRIPLETS, *INDUCTIONS):
        if not (folder / name).is_file():
            continue
        counts = found[name.partition(".")[0]] = Counts()

        async def judge(task: Task, counts: Counts = counts) -> None:
            await _task(service, task, counts)
            advance(len(task.cases))

        # Read as it is needed: a file of any size takes the memory of a few records.
        await for_each(read_tasks(folder / name), judge, service.pool.slots * _WIDTH)
        for names in (counts.nondeterministic, counts.others, counts.inductions):
            names.sort(key=lambda item: [_number(part) for part in item[0].split(":")])
    return found


def _number(part: str) -> tuple[int, str]:
    return (int(part), "") if part.isdigit() else (0, part)


async def _task(service: EmbeddedService, task: Task, counts: Counts) -> None:
    judged = await asyncio.gather(*[judge_case(service, task, case) for case in _cases(task)])
    for one in judged:
        counts.triplets += 1
        counts.reproduced += one.reproduced
        for what in ("validation", "deduction", "abduction"):
            counts.count(what, getattr(one, what))
        if one.factor is not None:
            counts.nondeterministic.append((one.name, f"{one.factor}{one.reason}"))
        elif one.reason:
            counts.others.append((one.name, one.reason))
    if len(task.cases) > 1:
        await _inductions(service, task, judged, counts)


def _cases(task: Task) -> Iterator[int]:
    yield from range(len(task.cases))


async def judge_case(service: EmbeddedService, task: Task, index: int) -> Judged:
    """Validate one triplet and run it through deduction and abduction."""
    given, recorded = task.cases[index]
    name = task.name if len(task.cases) == 1 else f"{task.name}:{index}"
    common = {"program": task.program, "imports": task.imports}
    validated = await carry_out(service, operation("validate", input=given, **common))
    deduced = await carry_out(
        service, operation("verify", mode="deduction", input=given, answer=recorded, **common)
    )
    computed = validated["output"] if validated.get("valid") else None
    # A record that is no literal, or was cut, is no output to aim at: then the computed one is.
    target = recorded if deduced["status"] == "correct" or computed is None else computed
    abduced = await carry_out(
        service, operation("verify", mode="abduction", output=target, answer=given, **common)
    )
    status = status_of(validated)
    factor = validated["determinism"]["broken_by"] if status == "nondeterministic" else None
    if factor is not None:
        reason = _record_note(recorded)
    elif computed is None:
        reason = await _refusal(service, task, given, recorded, validated)
    elif deduced["status"] == "correct":
        reason = ""
    else:
        reason = explain(recorded, computed, deduced)
    return Judged(name, status, status_of(deduced), status_of(abduced), factor, reason, computed)


def _record_note(recorded: str) -> str:
    if not recorded:
        return "; the record is empty"
    return "; the record was cut" if _looks_cut(recorded) else ""


def _looks_cut(recorded: str) -> bool:
    """Tell whether a record has the length and the dots of a cut one."""
    return len(recorded) == 2 * _CUT_HEAD + 3 and recorded[_CUT_HEAD:-_CUT_HEAD] == "..."


async def _refusal(
    service: EmbeddedService, task: Task, given: str, recorded: str, validated: Result
) -> str:
    """Say why a triplet is refused, and whether the server's largest limits change that."""
    reason = f"{validated['reason']}: {validated['message']}{_record_note(recorded)}"
    if validated["reason"] not in ("timeout", "memory_limit", "output_limit"):
        return reason
    common = {
        "program": task.program,
        "imports": task.imports,
        "limits": largest_limits(service.settings),
    }
    again = await carry_out(service, operation("execute", inputs=[given], **common))
    output = again["outcomes"][0]["output"] if "outcomes" in again else None
    if output is None:
        return f"{reason}; with the largest limits: {status_of(again)}"
    deduced = await carry_out(
        service, operation("verify", mode="deduction", input=given, answer=recorded, **common)
    )
    difference = explain(recorded, output, deduced) if deduced["status"] != "correct" else ""
    return f"{reason}; with the largest limits: {difference or 'reproduced'}"


def largest_limits(settings: Settings) -> dict[str, float]:
    """Return the limits field that asks for all the server grants."""
    most = settings.max_limits()
    return {name: getattr(most, name) for name in most.__slots__}


def explain(recorded: str, computed: str, deduced: Result) -> str:
    """Say how a recorded output differs from the computed one."""
    head, tail = computed[:_CUT_HEAD], computed[-_CUT_HEAD:]
    if not recorded:
        return f"the record is empty; the value is {_short(computed)}"
    if len(computed) > 2 * _CUT_HEAD and recorded == f"{head}...{tail}":
        return f"the record was cut: it has the first and last 200 of {len(computed)} characters"
    if _looks_cut(recorded):
        return f"the record was cut, and differs from the {len(computed)} characters computed"
    if sorted(recorded) == sorted(computed):
        return f"only the order differs: {_short(recorded)} for {_short(computed)}"
    detail = deduced.get("message", "")
    return f"{_short(recorded)} was recorded for {_short(computed)}: {deduced['status']} {detail}"


def _short(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:57]}..."


async def _inductions(
    service: EmbeddedService, task: Task, judged: list[Judged], counts: Counts
) -> None:
    """Verify a program on its cases: as recorded, and with what does not reproduce mended."""
    common = {"mode": "induction", "program": task.program, "imports": task.imports}
    cases = [{"input": given, "output": output} for given, output in task.cases]
    recorded = await carry_out(service, operation("verify", cases=cases, **common))
    counts.count("induction", status_of(recorded))
    mended = [
        case if one.reproduced else {"input": case["input"], "output": one.computed}
        for case, one in zip(cases, judged, strict=True)
        if one.computed is not None
    ]
    if not mended:
        counts.count("induction, mended", "no deterministic case")
        return
    result = await carry_out(service, operation("verify", cases=mended, **common))
    counts.count("induction, mended", status_of(result))
    if result["status"] != "correct":
        counts.inductions.append((task.name, f"{result['status']}: {result['message'][:200]}"))
