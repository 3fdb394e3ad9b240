"""`MathJudge`: integers compared as such, expressions by math-verify in a process of its own."""

from functools import partial
from typing import Any

from trainer_client.evaluation.judging.boxed import boxed_integer
from trainer_client.evaluation.judging.expressions import ExpressionChecker
from trainer_client.evaluation.judging.judgement import Ask, Judgement
from trainer_client.evaluation.problems import MathProblem


class MathJudge:
    r"""Judges what stands in the last ``\boxed{}`` of a response."""

    checks = ("answer",)

    def __init__(self, expressions: ExpressionChecker) -> None:
        self._expressions = expressions

    @property
    def rules(self) -> dict[str, Any]:
        """Return what verdicts depend on besides problem and answer."""
        return {"oracle": "math", "seconds": self._expressions.seconds}

    async def prepare(self, problem: MathProblem) -> Ask:
        """Return what judges answers."""
        return partial(self._integer if problem.integer else self._expression, problem)

    async def _integer(self, problem: MathProblem, response: str) -> Judgement:
        found = boxed_integer(response)
        if found is None:
            return Judgement({"answer": False}, "no_answer", "no integer in a box")
        right = any(found == int(answer) for answer in problem.answers)
        return Judgement({"answer": right}, "correct" if right else "wrong", str(found))

    async def _expression(self, problem: MathProblem, response: str) -> Judgement:
        status = await self._expressions.check(problem.answers, response)
        return Judgement({"answer": status == "correct"}, status)
