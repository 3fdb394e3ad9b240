"""Comparison of typed values, and EvalPlus' special rules."""

import math

import numpy as np
import pytest

from trainer_client.evaluation.benchmarks.mbpp_inputs import restored
from trainer_client.evaluation.judging.oracles import Output, right, shown, tolerances
from trainer_client.evaluation.judging.values import close, equal
from trainer_client.evaluation.problems import FunctionProblem


def typed(value):
    """Return the contract's form of a value."""
    if value is None:
        return {"t": "none"}
    if isinstance(value, bool):
        return {"t": "bool", "v": value}
    if isinstance(value, int):
        return {"t": "int", "v": str(value)}
    if isinstance(value, float):
        return {"t": "float", "v": value.hex()}
    if isinstance(value, complex):
        return {"t": "complex", "v": [value.real.hex(), value.imag.hex()]}
    if isinstance(value, str):
        return {"t": "str", "v": value}
    if isinstance(value, dict):
        return {"t": "dict", "v": [[typed(k), typed(v)] for k, v in value.items()]}
    return {"t": type(value).__name__, "v": [typed(item) for item in value]}


VALUES = [
    None, True, 1, 1.0, 1 + 0j, 0, -0.0, False, math.nan, math.inf, 2**70, float(2**70), "a", "",
    [], (), [1], (1,), [1.0], {1}, frozenset({1.0}), {True}, {(1, 2)}, {(1.0, 2)}, {1: "a"},
    {1.0: "a"}, {"a": [1]}, {"a": [True]}, [[1, 2], [3]], {frozenset({1})}, {frozenset({1.0})},
]  # fmt: skip


@pytest.mark.parametrize("a", VALUES, ids=repr)
def test_equality_is_pythons(a):
    for b in VALUES:
        # A nan that went through JSON is another object, and equals nothing.
        expected = a == b and a not in NAN
        assert equal(typed(a), typed(b)) is expected, (a, b)


NAN = [math.nan]
ARRAYS = [1, 1.0, 1.0 + 5e-7, 1.1, True, [1.0, 2.0], [1.0, 2.0 + 1e-7], (1.0, 2.0), [[1.0], [2.0]],
          [1.0], [[1.0], [2.0, 3.0]], "1.0", [None], math.nan, [], {1.0}]  # fmt: skip


@pytest.mark.parametrize("a", ARRAYS, ids=repr)
def test_closeness_is_numpys_with_types_checked(a):
    for b in ARRAYS:
        expected = type(a) is type(b)
        try:
            if expected and isinstance(a, list | tuple):
                expected = len(a) == len(b)
            expected = expected and bool(np.allclose(a, b, rtol=1e-7, atol=1e-6))
        except (TypeError, ValueError):
            expected = False
        assert close(typed(a), typed(b), 1e-6) is expected, (a, b)


def problem(name: str, dataset="mbpp", atol=0.0):
    return FunctionProblem("x/1", "", name, "", (), (), atol, dataset)


def judged(name, arguments, expected, got, atol=0.0, dataset="mbpp"):
    outputs = [Output(None) if v is ... else Output(typed(v)) for v in (expected, got)]
    return right(problem(name, dataset, atol), arguments, *outputs, atol)


def test_special_oracles_accept_what_evalplus_accepts():
    assert judged("similar_elements", (), (4, 5), (5, 4))
    assert judged("similar_elements", (), (4, 5), [5, 4, 4])
    assert not judged("similar_elements", (), (4, 5), (5,))
    assert not judged("similar_elements", (), (4, 5), 5)
    assert judged("are_equivalent", (36, 57), False, True)
    assert judged("sum_div", (8,), 7, 0)
    assert not judged("sum_div", (8,), 7, 1)
    assert judged("surface_Area", (3, 4), 1, 35, atol=1e-6)
    assert judged("digit_distance_nums", (1, 20), 1, 3)
    assert not judged("digit_distance_nums", (1, 20), 1, 4)
    assert judged("check_str", ("a",), ..., True)
    assert judged("check_str", ("1",), None, False)
    assert not judged("check_str", ("1",), None, ...)
    assert judged("find_zero", ([1, 2],), -0.5, -0.5 + 1e-6, atol=1e-4, dataset="humaneval")
    assert not judged("find_zero", ([1, 2],), -0.5, 0.5, atol=1e-4, dataset="humaneval")
    assert not judged("find_zero", ([1, 2],), -0.5, "0.5", atol=1e-4, dataset="humaneval")


def test_objects_without_a_typed_form_are_right_nowhere_else():
    assert not judged("other", (), ..., ...)


def test_floats_have_a_tolerance_from_the_first_one_on():
    outputs = [Output(typed(value)) for value in (1, 0.5, [1], [], [0.5])]
    assert tolerances(0.0, outputs) == [0.0, 1e-6, 1e-6, 1e-6, 1e-6]
    assert tolerances(1e-4, outputs) == [1e-4] * 5
    assert tolerances(0.0, outputs[:1] + outputs[3:4]) == [0.0, 0.0]


@pytest.mark.parametrize(
    ("task", "given", "meant"),
    [
        ("Mbpp/2", [[1, 2], [3]], ((1, 2), (3,))),
        ("Mbpp/63", [[[1, 2], [3, 4]]], ([(1, 2), (3, 4)],)),
        ("Mbpp/75", [[[1, 2]], 3], ([(1, 2)], 3)),
        ("Mbpp/106", [[1], [2]], ([1], (2,))),
        ("Mbpp/115", [[[1], [], {}]], ([{1}, {}, {}],)),
        ("Mbpp/124", ["1", "2"], (1.0, 2 + 0j)),
        ("Mbpp/250", [[1, 2], 3], ((1, 2), 3)),
        ("Mbpp/252", ["(1+2j)"], (1 + 2j,)),
        ("Mbpp/259", [[[1, 2]], [[3]]], (((1, 2),), ((3,),))),
        ("Mbpp/278", [[1, [2, 3]]], ((1, (2, 3)),)),
        ("Mbpp/307", [[1], 2, 3], ((1,), 2, 3)),
        ("Mbpp/580", [[1, [2, [3]]]], ((1, (2, (3,))),)),
        ("Mbpp/722", [{"a": [1, 2]}, 3], ({"a": (1, 2)}, 3)),
        ("Mbpp/3", [[1]], ([1],)),
    ],
)
def test_inputs_are_restored_as_evalplus_does(task, given, meant):
    found = restored(task, given)
    assert found == meant
    assert repr(found) == repr(meant)


def test_arguments_are_written_as_literals():
    written = shown(([1.5, math.inf, -math.inf], (1,), {"a": {2}}, "x'", (), 1 + 2j, True))
    assert written == "[1.5, 1e999, -1e999], (1,), {'a': {2}}, \"x'\", (), (1+2j), True"
