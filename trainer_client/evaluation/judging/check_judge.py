"""`CheckJudge`: a candidate together with the assertions that HumanEval publishes for it.

The assertions run in the candidate's own process, so a candidate that tampers with it can pass
without being right: results of this judge are marked forgeable.
"""

from functools import partial
from typing import Any

from trainer_client.evaluation.judging.judgement import Ask, Judgement
from trainer_client.evaluation.judging.limits import TimeLimits
from trainer_client.evaluation.problems import CheckedProblem
from trainer_client.verifier.client import AsyncVerifier
from trainer_client.verifier.items import execution
from trainer_client.verifier.standins import INFRA_ERROR


class CheckJudge:
    """Judges by whether ``check(candidate)`` returns."""

    checks = ("check",)

    def __init__(self, verifier: AsyncVerifier, limits: TimeLimits) -> None:
        self._verifier = verifier
        self._limits = limits

    @property
    def rules(self) -> dict[str, Any]:
        """Return what verdicts depend on besides problem and answer."""
        return {"oracle": "check", **self._limits.rules}

    async def prepare(self, problem: CheckedProblem) -> Ask:
        """Return what judges answers; there is nothing to compute before."""
        return partial(self._judge, problem)

    async def _judge(self, problem: CheckedProblem, program: str) -> Judgement:
        # All assertions together, as HumanEval has it: none has a time limit of its own.
        item = execution(
            f"{program}\n{problem.test}",
            [problem.entry_point],
            entry_point="check",
            limits=self._limits.fields(self._limits.least),
        )
        (result,) = await self._verifier.batch([item])
        (outcome,) = result["outcomes"]
        error = outcome.get("error") or {}
        detail = f"{error.get('type', '')} {error.get('message', '')}".strip()[:200]
        if outcome["status"] == INFRA_ERROR:
            return Judgement(None, INFRA_ERROR, detail)
        right = outcome["status"] == "ok"
        wrong = "wrong" if error.get("type") == "AssertionError" else outcome["status"]
        return Judgement({"check": right}, "correct" if right else wrong, detail)
