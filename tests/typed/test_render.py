"""Rendered values read as Python's repr, in bounded work."""

import json
from collections import Counter, OrderedDict, deque
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from executor_service.sandbox.runner.encode import Encoder
from executor_service.typed.equality import equal
from executor_service.typed.literals import parse_literal
from executor_service.typed.render import render


def encoded(value):
    return json.loads(Encoder(10_000_000).encode(value))


@pytest.mark.parametrize(
    "value",
    [
        None,
        ...,
        True,
        -5,
        1e100,
        float("nan"),
        -0.0,
        2 - 3j,
        "it's \n \u00e9",
        b"a'\x00",
        bytearray(b"x"),
        [1, "a", [None]],
        (1,),
        (),
        (1, 2),
        {},
        {"a": 1, 2: [3]},
        set(),
        {7},
        frozenset(),
        frozenset({"x"}),
        range(5),
        range(5, 1, -1),
        deque([1, 2]),
        Counter("abbccc"),
        Counter(),
        OrderedDict(),
        Decimal("1.50"),
        Fraction(1, 2),
        Fraction(3),
        date(2024, 1, 2),
        datetime(2024, 1, 2, 3, 4, tzinfo=UTC),
        time(1, 2),
        timedelta(days=1, seconds=2),
        ValueError("x"),
        KeyError(),
        ValueError("x", 2),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_value_reads_as_its_repr(value):
    assert render(encoded(value)) == repr(value)


def test_ordered_and_default_dicts_read_as_in_python_3_12():
    pair = [[{"t": "str", "v": "a"}, {"t": "int", "v": "1"}]]
    assert render({"t": "OrderedDict", "v": pair}) == "OrderedDict({'a': 1})"
    assert render({"t": "defaultdict", "v": pair}) == "defaultdict(None, {'a': 1})"


def test_objects_of_the_programs_classes_read_as_their_default_repr():
    one = {"t": "int", "v": "1"}
    fields = {"class": "Point", "fields": [["x", one], ["y", one]]}
    assert render({"t": "dataclass", "v": fields}) == "Point(x=1, y=1)"
    assert render({"t": "namedtuple", "v": fields}) == "Point(x=1, y=1)"
    assert render({"t": "enum", "v": {"class": "C", "fields": [["RED", one]]}}) == "<C.RED: 1>"
    call = {"t": "instance", "class": "P", "args": [one], "kwargs": [["y", one]]}
    assert render(call) == "P(1, y=1)"
    assert render({"t": "member", "class": "C", "name": "RED"}) == "C.RED"


def test_sets_come_out_in_one_order_whatever_order_they_arrive_in():
    items = [{"t": "str", "v": "b"}, {"t": "int", "v": "10"}, {"t": "int", "v": "9"}]
    items.append({"t": "frozenset", "v": [{"t": "int", "v": "2"}, {"t": "int", "v": "1"}]})
    turned = [*items[:3], {"t": "frozenset", "v": items[3]["v"][::-1]}][::-1]
    text = "{9, 10, frozenset({1, 2}), 'b'}"
    assert render({"t": "set", "v": items}) == render({"t": "set", "v": turned}) == text


def test_a_long_text_is_cut_with_a_mark():
    value = encoded(list(range(100)))
    assert render(value, limit=10) == "[0, 1, 2, … (more than 10 characters)"
    assert render(value, limit=390) == render(value)
    assert render(encoded({"abc", "abd", "abe"}), limit=8) == "{'abc', … (more than 8 characters)"


@pytest.mark.parametrize(
    "value",
    [
        encoded("x" * 2_000_000),
        encoded(b"x" * 2_000_000),
        {"t": "list", "v": [{"t": "int", "v": "7"}] * 1_000_000},
        {"t": "set", "v": [{"t": "int", "v": str(n)} for n in range(200_000)]},
    ],
    ids=["str", "bytes", "list", "set"],
)
def test_the_work_is_bounded_by_the_limit(value):
    start = process_time()
    for _ in range(20):
        assert len(render(value, limit=100)) < 150
    assert process_time() - start < 0.5


def test_an_integer_too_long_for_decimal_is_shown_in_hexadecimal():
    assert render(encoded(-(2**20000))) == "-0x1" + "0" * 5000


scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.complex_numbers(),
    st.text(st.characters(codec="utf-8"), max_size=8),
    st.binary(max_size=8),
    st.decimals(),
    st.fractions(),
    st.dates(),
    st.datetimes(),
    st.timedeltas(),
)
hashables = st.recursive(
    scalars.filter(lambda v: not (isinstance(v, Decimal) and v.is_snan())),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(tuple), st.frozensets(inner, max_size=3)
    ),
    max_leaves=4,
)
values = st.recursive(
    hashables,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(hashables, inner, max_size=3),
        st.sets(hashables, max_size=3),
        st.dictionaries(hashables, inner, max_size=3).map(OrderedDict),
        st.lists(inner, max_size=3).map(deque),
    ),
    max_leaves=8,
)


@given(values)
def test_what_is_rendered_parses_to_an_equal_value(value):
    typed = encoded(value)
    assert equal(typed, parse_literal(render(typed)))
