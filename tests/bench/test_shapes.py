"""Containers that JSON lost come back from the call in a task's prompt."""

import pytest

from executor_service.bench.shapes import argument_list, shape_of_call


@pytest.mark.parametrize(
    ("prompt", "arguments", "source"),
    [
        ("assert f((3, 4), (5,)) == 1", [[1, 2, 3], []], "(1, 2, 3), ()"),
        ("assert f([(1, 2), (3, 4)], 7) == 1", [[[5, 6]], 8], "[(5, 6)], 8"),
        ("assert f({1, 2}) == 1", [[3]], "{3}"),
        ("assert f({1, 2}) == 1", [[]], "set()"),
        ("assert f([1, 'a', (2,)]) == 1", [["x", 1, [2], [3]]], "['x', 1, (2,), (3,)]"),
        ("assert f({'a': (1,)}) == 1", [{"b": [2]}], "{'b': (2,)}"),
        ("assert f(1j) == 1", ["(1+2j)"], "(1+2j)"),
        ("assert f(1) == 1", ["abc"], "'abc'"),
        ("assert f('a') == 1", ["12"], "'12'"),
        ("assert f(1.5) == 1", [float("inf")], "float('inf')"),
        ("assert f (1) == 1", [[1]], "[1]"),
        ("nothing here", [[1], True], "[1], True"),
        ("assert f(1, 2) == 1", [[1]], "[1]"),
    ],
)
def test_arguments_take_the_containers_of_the_prompt(prompt, arguments, source):
    assert argument_list(shape_of_call(prompt, "f"), arguments) == source


def test_a_call_with_names_in_it_is_passed_over():
    shape = shape_of_call("def f(a, b): ...\nassert f((1, 2), ')') == 1", "f")
    assert shape is not None
    assert [part["t"] for part in shape] == ["tuple", "str"]


def test_a_function_whose_name_ends_the_same_is_another():
    assert shape_of_call("assert not_f((1,)) == 1", "f") is None
