"""Every operation is counted once, by what came of it."""

import asyncio

import pytest
from prometheus_client import CollectorRegistry

from executor_service.errors import RequestError
from executor_service.operations import OPERATION_NAMES, parse_operation
from executor_service.telemetry.operations import ObservedVerifier, status_of
from telemetry.scrape import read

EXECUTE = parse_operation("execute", {"program": "", "inputs": ["1"]})
VALIDATE = parse_operation("validate", {"program": "", "input": "1"})
DEDUCTION = parse_operation("verify", {"mode": "deduction", "program": "", "answer": "1"})
ABDUCTION = parse_operation(
    "verify", {"mode": "abduction", "program": "", "answer": "1", "output": "1"}
)
INDUCTION = parse_operation(
    "verify", {"mode": "induction", "program": "", "cases": [{"input": "1", "output": "1"}]}
)


class Verifier:
    """Does what it is told to."""

    def __init__(self, outcome):
        self.outcome = outcome

    async def carry_out(self, operation):
        if isinstance(self.outcome, BaseException):
            raise self.outcome
        return self.outcome


@pytest.mark.parametrize(
    ("operation", "outcome", "labels"),
    [
        (EXECUTE, {"outcomes": [{"status": "ok"}] * 2}, ("execute", "", "ok")),
        (
            EXECUTE,
            {"outcomes": [{"status": "ok"}, {"status": "timeout"}]},
            ("execute", "", "mixed"),
        ),
        (VALIDATE, {"valid": True, "reason": None}, ("validate", "", "valid")),
        (
            VALIDATE,
            {"valid": False, "reason": "nondeterministic"},
            ("validate", "", "nondeterministic"),
        ),
        (DEDUCTION, {"status": "correct"}, ("verify", "deduction", "correct")),
        (ABDUCTION, {"status": "wrong"}, ("verify", "abduction", "wrong")),
        (INDUCTION, {"status": "infra_error"}, ("verify", "induction", "infra_error")),
        (INDUCTION, RequestError("no"), ("verify", "induction", "unacceptable")),
        (DEDUCTION, asyncio.CancelledError(), ("verify", "deduction", "cancelled")),
        (ABDUCTION, RuntimeError("a defect"), ("verify", "abduction", "infra_error")),
    ],
)
def test_an_operation_is_counted_and_timed_by_what_came_of_it(operation, outcome, labels):
    registry = CollectorRegistry()
    observed = ObservedVerifier(Verifier(outcome), registry)
    try:
        assert asyncio.run(observed.carry_out(operation)) is outcome
    except (Exception, asyncio.CancelledError) as error:
        assert error is outcome
    seen = read(registry)
    op, mode, status = labels
    assert seen("operations_total", op=op, mode=mode, status=status) == 1
    assert sum(seen.values("operations_total").values()) == 1
    assert seen("operation_seconds_count", op=op) == 1
    assert sum(seen.values("operation_seconds_count").values()) == 1


def test_infrastructure_errors_are_shown_before_the_first_one():
    seen = read_empty()
    assert seen.labels("operations_total", "status") == {"infra_error"}
    assert seen.labels("operations_total", "op") == {*OPERATION_NAMES, "script"}
    assert seen.labels("operations_total", "mode") == {"", "deduction", "abduction", "induction"}


def read_empty():
    registry = CollectorRegistry()
    ObservedVerifier(Verifier({}), registry)
    return read(registry)


def test_a_status_is_one_word_of_the_contract():
    assert status_of({"outcomes": [{"status": "infra_error"}]}) == "infra_error"
    assert status_of({"valid": False, "reason": "timeout"}) == "timeout"
    assert status_of({"status": "invalid_answer", "correct": False}) == "invalid_answer"
