"""What the service itself gives out as an output must be acceptable as gold."""

import asyncio

import pytest

from executor_service.errors import RequestError
from executor_service.limits import Bounds
from executor_service.operations import parse_operation
from executor_service.sandbox.runs import Limits
from executor_service.verifier.verifier import Verifier


class _NoRuns:
    """Fails the test if anything is run: with a known output nothing is."""

    async def run(self, request):
        raise AssertionError("nothing is run")

    async def run_sequence(self, requests):
        raise AssertionError("nothing is run")


def _deduce(output, answer):
    bounds = Bounds(Limits(), Limits(), 1000, 10, 2)
    verifier = Verifier(_NoRuns(), bounds, clock=lambda: False)
    body = {"mode": "deduction", "program": "def f(): pass", "output": output, "answer": answer}
    return asyncio.run(verifier.carry_out(parse_operation("verify", body)))


def test_a_gold_of_sixty_thousand_values_is_acceptable():
    gold = repr([("a", "b")] * 20_000)
    assert _deduce(gold, "1")["status"] == "wrong"


def test_an_answer_of_sixty_thousand_values_is_not():
    answer = repr([("a", "b")] * 20_000)
    assert _deduce("1", answer)["status"] == "invalid_answer"


def test_a_gold_larger_than_any_value_is_refused():
    with pytest.raises(RequestError, match="more than 400000 values"):
        _deduce(repr([0] * 400_001), "1")
