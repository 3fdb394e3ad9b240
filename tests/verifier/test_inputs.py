"""A task's input: data where it can be, an expression where it must be."""

import pytest

from executor_service.errors import LiteralError
from executor_service.typed.literals import parse_arguments
from executor_service.verifier.inputs import task_input
from executor_service.verifier.policy import DEFAULT_POLICY, Policy


def read(text: str, entry_point: str = "f", policy: Policy = DEFAULT_POLICY):
    return task_input(text, policy, entry_point)


@pytest.mark.parametrize(
    "text", ["", "1, 'a', [2.5, None]", "x=1, y={'a': (1,)}", "Decimal('1.5')"]
)
def test_data_stays_data(text):
    arguments = parse_arguments(text)
    assert read(text) == {"args": arguments.args, "kwargs": arguments.kwargs}


def test_a_constructor_of_the_program_is_data_too():
    (value,) = read("Point(1, 2)")["args"]
    assert (value["t"], value["class"]) == ("instance", "Point")


@pytest.mark.parametrize("text", ["f('hello')", "[x for x in range(3)]", "lambda: 1", "f(f(1)), 2"])
def test_an_acceptable_expression_is_left_to_the_sandbox(text):
    assert read(text) == {"expression": text}


@pytest.mark.parametrize(
    "text", ["[1, f(2)]", "{'a': f(2)}", "x=(f(1),)", "[[], {'a': [f()]}]", "f(x=f(1))"]
)
def test_a_call_of_the_entry_point_is_found_however_deep_it_stands(text):
    assert read(text) == {"expression": text}
    assert "args" in read(text.replace("f(", "Box("))


def test_a_class_of_the_program_beside_a_call_is_refused_rather_than_half_read():
    with pytest.raises(LiteralError, match="Point"):
        read("Point(f(1))")


@pytest.mark.parametrize(
    "text",
    ["__import__('os')", "open('/etc/passwd')", "1) or (2", "(", "x := 3", "eval('1')"],
)
def test_anything_else_is_refused_with_a_reason(text):
    with pytest.raises(LiteralError) as refusal:
        read(text)
    assert str(refusal.value)


def test_the_policy_holds_for_expressions():
    strict = Policy(banned_names=frozenset({"sorted"}))
    assert read("sorted([2, 1])[0]") == {"expression": "sorted([2, 1])[0]"}
    with pytest.raises(LiteralError, match="sorted"):
        read("sorted([2, 1])[0]", policy=strict)
