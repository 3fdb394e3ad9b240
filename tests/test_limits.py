"""Requests against the server's maxima."""

import pytest

from executor_service.errors import RequestError
from executor_service.limits import Bounds
from executor_service.operations import LimitsSpec, parse_operation
from executor_service.sandbox.runs import Limits

DEFAULT = Limits(5.0, 10.0, 256, 1000, 100)
MOST = Limits(60.0, 120.0, 1024, 4000, 400)
BOUNDS = Bounds(DEFAULT, MOST, max_program_chars=100, max_inputs=3, max_replicas=2)
EXECUTE = {"program": "x", "inputs": ["1"]}


def check(name: str = "execute", **fields) -> Limits:
    return BOUNDS.check(parse_operation(name, EXECUTE | fields if name == "execute" else fields))


def test_a_request_that_says_nothing_has_the_defaults():
    assert check() == DEFAULT
    assert check(limits={}) == DEFAULT
    assert check(limits={"memory_mb": None}) == DEFAULT


@pytest.mark.parametrize("name", LimitsSpec.model_fields)
def test_each_limit_may_be_chosen_up_to_its_maximum(name):
    most = getattr(MOST, name)
    chosen = check(limits={name: most})
    assert getattr(chosen, name) == most
    for other in LimitsSpec.model_fields:
        if other != name:
            assert getattr(chosen, other) == getattr(DEFAULT, other)
    with pytest.raises(RequestError, match=str(most)) as refusal:
        check(limits={name: int(most) + 1})
    assert refusal.value.field == f"limits.{name}"


COUNTS = [
    ("execute", {"program": "x" * 100}, {"program": "x" * 101}, "program"),
    ("execute", {"imports": ["x" * 50, "y" * 50]}, {"imports": ["x" * 50, "y" * 51]}, "imports"),
    ("execute", {"inputs": ["1"] * 3}, {"inputs": ["1"] * 4}, "inputs"),
    ("execute", {"replicas": 2}, {"replicas": 3}, "replicas"),
    (
        "verify",
        {"mode": "induction", "program": "", "cases": [{"input": "", "output": "1"}] * 3},
        {"mode": "induction", "program": "", "cases": [{"input": "", "output": "1"}] * 4},
        "cases",
    ),
    (
        "verify",
        {"mode": "deduction", "program": "", "answer": "1", "replicas": 2},
        {"mode": "deduction", "program": "", "answer": "1", "replicas": 3},
        "replicas",
    ),
]


@pytest.mark.parametrize(("name", "fits", "over", "field"), COUNTS)
def test_counts_are_bounded_by_name(name, fits, over, field):
    assert check(name, **fits) == DEFAULT
    with pytest.raises(RequestError, match="at most") as refusal:
        check(name, **over)
    assert refusal.value.field == field


def test_validate_has_no_replicas_and_is_bounded_like_the_rest():
    assert check("validate", program="x", input="1") == DEFAULT
    with pytest.raises(RequestError):
        check("validate", program="x" * 101, input="1")
