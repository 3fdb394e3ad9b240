"""Records come back as they went in; whatever else is in the store is no record."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cache.world import raised, result
from executor_service.cache.record import MAX_RECORD_BYTES, Record, decode
from executor_service.sandbox.runs import RunResult, Usage
from executor_service.typed.literals import parse_literal

texts = st.text(st.characters(codec=None, exclude_categories=()), max_size=20)
literals = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts | st.binary(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
).map(lambda value: parse_literal(repr(value)))
usages = st.builds(Usage, st.floats(0, 1e9), st.floats(0, 1e9), st.integers(0, 1 << 40))


@given(st.lists(st.tuples(literals, usages), min_size=1, max_size=4), texts)
def test_values_come_back_exactly_as_they_went_in(parts, printed):
    results = {
        variant: RunResult("ok", (value,), None, printed, "", usage)
        for variant, (value, usage) in enumerate(parts)
    }
    data = Record(results).encode()
    assert data is not None
    back = decode(data)
    assert back.results == results
    assert list(back.results) == list(results)
    assert all(one.cached for one in back.results.values())


def test_an_exception_comes_back_with_its_line():
    data = Record({0: raised("no such key"), 1: raised("no such key")}).encode()
    assert decode(data).results[1] == raised("no such key")


def test_equal_values_are_written_once():
    long = result(repr("x" * 1000))
    data = Record({0: long, 1: long, 3: long}).encode()
    assert len(data) < 1500
    assert [one.values[0]["v"] for one in decode(data).results.values()] == ["x" * 1000] * 3


def test_values_that_are_equal_only_to_us_keep_their_own_text():
    data = Record({0: result("{1, 2}"), 1: result("{2, 1}")}).encode()
    assert [one.values[0]["v"][0]["v"] for one in decode(data).results.values()] == ["1", "2"]


def test_a_long_result_has_no_record():
    assert Record({0: result(repr("x" * MAX_RECORD_BYTES))}).encode() is None


GOOD = [0, "ok", {"t": "int", "v": "1"}, None, "", "", [0.1, 0.2, 3]]
ERROR = [0, "runtime_error", None, ["E", "m", 1], "", "", [0.1, 0.2, 3]]


def changed(part, index, value):
    return [[*part[:index], value, *part[index + 1 :]]]


ODD = {
    "no list": {}, "empty": [], "null": None, "a part is no list": [1], "short": [GOOD[:6]],
    "long": [[*GOOD, 1]], "twice": [GOOD, GOOD],
    "variant is text": changed(GOOD, 0, "0"), "variant is a bool": changed(GOOD, 0, False),
    "a limit": changed(ERROR, 1, "timeout"), "a violation": changed(ERROR, 1, "security_violation"),
    "our failure": changed(ERROR, 1, "infra_error"), "unknown status": changed(GOOD, 1, "fine"),
    "status is a list": changed(GOOD, 1, ["ok"]),
    "ok without value": changed(GOOD, 2, None),
    "value of no type": changed(GOOD, 2, {"t": "evil"}), "value is bare": changed(GOOD, 2, 1),
    "value is wrong": changed(GOOD, 2, {"t": "int", "v": "01"}),
    "an answer's node": changed(GOOD, 2, {"t": "instance", "class": "C", "args": [], "kwargs": []}),
    "nothing to repeat": changed(GOOD, 2, 0), "ok with error": changed(GOOD, 3, ["E", "m", 1]),
    "error without error": changed(ERROR, 3, None), "error with value": changed(ERROR, 2, GOOD[2]),
    "error is short": changed(ERROR, 3, ["E", "m"]),
    "line is text": changed(ERROR, 3, ["E", "m", "1"]),
    "message is a number": changed(ERROR, 3, ["E", 1, 1]),
    "stdout is a number": changed(GOOD, 4, 1), "stderr is null": changed(GOOD, 5, None),
    "usage is short": changed(GOOD, 6, [1, 2]), "usage is text": changed(GOOD, 6, ["1", 2, 3]),
    "usage is negative": changed(GOOD, 6, [-1, 2, 3]),
    "usage is a bool": changed(GOOD, 6, [True, 2, 3]),
    "too many": [[number, *GOOD[1:]] for number in range(17)],
}  # fmt: skip


@pytest.mark.parametrize("name", ODD)
def test_odd_json_is_no_record(name):
    with pytest.raises(ValueError):
        decode(json.dumps(ODD[name]).encode())


@pytest.mark.parametrize(
    "data",
    [
        b"", b"\xff", b"[", b"nonsense", b"[" * 100_000, b'"' + b"x" * MAX_RECORD_BYTES + b'"',
        json.dumps([GOOD]).encode().replace(b"0.1", b"NaN"),
        json.dumps([GOOD]).encode().replace(b"0.1", b"1e999"),
        json.dumps([GOOD]).encode()[:-1], json.dumps([GOOD]).encode() + b"x",
    ],
    ids=range(10),
)  # fmt: skip
def test_odd_bytes_are_no_record(data):
    with pytest.raises(ValueError):
        decode(data)


def test_what_the_odd_ones_are_made_from_is_good():
    assert decode(json.dumps([GOOD]).encode()).results[0] == replace(
        result("1"), usage=Usage(0.1, 0.2, 3)
    )
    assert decode(json.dumps([ERROR]).encode()).results[0].error.message == "m"
