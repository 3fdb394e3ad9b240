"""`FunctionJudge`: reference and candidate run apart, and their outputs are compared as values.

The candidate runs in sandboxes that hold no expected output, and what it returns is data: it cannot
forge a verdict. Each call is a process of its own.
"""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from trainer_client.evaluation.judging.judgement import Ask, Judgement, NoGold
from trainer_client.evaluation.judging.limits import TimeLimits
from trainer_client.evaluation.judging.oracles import (
    Output,
    opaque_allowed,
    right,
    shown,
    tolerances,
)
from trainer_client.evaluation.problems import Arguments, FunctionProblem
from trainer_client.verifier.client import AsyncVerifier
from trainer_client.verifier.items import execution
from trainer_client.verifier.standins import INFRA_ERROR

_CHUNK: Final = 64
"""Calls of one operation at most."""
_CHUNK_CHARS: Final = 1_000_000
"""Characters of their arguments at most."""
_GROWTH: Final = (4, 16)
"""Calls of a candidate's first operations: most wrong ones fail at once."""


@dataclass(frozen=True)
class _Case:
    """One call and what is expected of it."""

    arguments: Arguments
    text: str
    expected: Output
    atol: float
    seconds: float


class FunctionJudge:
    """Judges by EvalPlus' protocol: ``base`` and ``plus``, the latter meaning both."""

    checks = ("base", "plus")

    def __init__(self, verifier: AsyncVerifier, limits: TimeLimits) -> None:
        self._verifier = verifier
        self._limits = limits

    @property
    def rules(self) -> dict[str, Any]:
        """Return what verdicts depend on besides problem and answer."""
        return {"oracle": "evalplus-0.3.1", **self._limits.rules}

    async def prepare(self, problem: FunctionProblem) -> Ask:
        """Run the reference on all inputs, once for all answers.

        Raises:
            NoGold: it does not return on one of them.
        """
        base, plus = await asyncio.gather(
            self._gold(problem, problem.base), self._gold(problem, problem.plus)
        )
        return partial(self._judge, problem, {"base": base, "plus": plus})

    async def _gold(self, problem: FunctionProblem, calls: Sequence[Arguments]) -> list[_Case]:
        texts = [shown(arguments) for arguments in calls]
        outcomes: list[dict[str, Any]] = []
        for chunk in _chunks(texts, [0.0] * len(texts), ()):
            asked = texts[chunk.start : chunk.stop]
            outcomes += await self._run(problem.canonical, problem, asked, self._limits.longest)
        outputs = []
        for text, outcome in zip(texts, outcomes, strict=True):
            output = _output(problem, outcome)
            if output is None:
                raise NoGold(f"{outcome['status']} on {text[:80]}")
            outputs.append(output)
        return [
            _Case(arguments, text, output, atol, self._limits.seconds(outcome["usage"]["cpu_ms"]))
            for arguments, text, output, atol, outcome in zip(
                calls, texts, outputs, tolerances(problem.atol, outputs), outcomes, strict=True
            )
        ]

    async def _judge(
        self, problem: FunctionProblem, gold: dict[str, list[_Case]], program: str
    ) -> Judgement:
        passed = dict.fromkeys(self.checks, False)
        for check in self.checks:
            failure = await self._first_failure(problem, gold[check], program)
            if failure is not None:
                status, detail = failure
                if status == INFRA_ERROR:
                    return Judgement(None, status, detail)
                return Judgement(passed, status, f"{check}: {detail}")
            passed[check] = True
        return Judgement(passed, "correct")

    async def _first_failure(
        self, problem: FunctionProblem, cases: Sequence[_Case], program: str
    ) -> tuple[str, str] | None:
        """Return the status of the first call that is not right, and what was called."""
        texts, seconds = [case.text for case in cases], [case.seconds for case in cases]
        for chunk in _chunks(texts, seconds, _GROWTH):
            asked = cases[chunk.start : chunk.stop]
            outcomes = await self._run(
                program, problem, [case.text for case in asked], asked[0].seconds
            )
            for case, outcome in zip(asked, outcomes, strict=True):
                output = _output(problem, outcome)
                if output is None:
                    return outcome["status"], _told(case.text, outcome)
                if not right(problem, case.arguments, case.expected, output, case.atol):
                    return "wrong", _told(case.text, outcome)
        return None

    async def _run(
        self, program: str, problem: FunctionProblem, inputs: Sequence[str], seconds: float
    ) -> list[dict[str, Any]]:
        item = execution(
            program,
            inputs,
            entry_point=problem.entry_point,
            limits=self._limits.fields(seconds),
        )
        (result,) = await self._verifier.gather([item])
        return list(result["outcomes"])


def _output(problem: FunctionProblem, outcome: dict[str, Any]) -> Output | None:
    """Return what a call returned; None: it did not, or nothing that can be compared."""
    if outcome["status"] == "ok":
        return Output(outcome["value"])
    if outcome["status"] == "unsupported_value" and opaque_allowed(problem):
        return Output(None)
    return None


def _told(text: str, outcome: dict[str, Any]) -> str:
    error = outcome.get("error") or {}
    said = f"{error.get('type', '')} {error.get('message', '')}".strip() or outcome.get("output")
    return f"({_short(text)}) {_short(str(said))}"


def _short(text: str) -> str:
    return text if len(text) <= 100 else f"{text[:97]}..."


def _chunks(
    texts: Sequence[str], seconds: Sequence[float], growth: Sequence[int]
) -> Iterator[range]:
    """Divide calls, in order, into operations that share one time limit and are not too large."""
    sizes = iter(growth)
    start = 0
    while start < len(texts):
        most = next(sizes, _CHUNK)
        end, chars = start, 0
        while (
            end < len(texts)
            and end - start < most
            and seconds[end] == seconds[start]
            and (end == start or chars + len(texts[end]) <= _CHUNK_CHARS)
        ):
            chars += len(texts[end])
            end += 1
        yield range(start, end)
        start = end
