"""What a sandbox sends is refused unless it is a typed value, completely."""

import json
import sys
from collections import Counter, OrderedDict, defaultdict, deque
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction
from time import process_time

import pytest

from executor_service.sandbox.runner.encode import Encoder
from executor_service.typed.values import check_value


def encoded(value):
    return json.loads(Encoder(10_000_000).encode(value))


@pytest.mark.parametrize(
    "value",
    [
        None,
        ...,
        True,
        0,
        -7,
        2**13287 - 1,
        2**13287,
        -(2**20000),
        0.0,
        -0.0,
        1.5,
        5e-324,
        1.7976931348623157e308,
        float("nan"),
        float("inf"),
        complex(1, -0.0),
        "text",
        "\ud800",
        b"\x00\xff",
        bytearray(b"abc"),
        [1, [2, []]],
        (1, ("a",)),
        {1, 2.5, "x", (1, 2), frozenset({3})},
        {"a": [1], 2: {}, (1, 2): None},
        OrderedDict(a=1),
        Counter("abca"),
        defaultdict(int, a=1),
        deque([1, 2], maxlen=3),
        range(1, 10, 2),
        Decimal("1.50"),
        Decimal("-1E+30"),
        Decimal("NaN"),
        Fraction(-3, 7),
        Fraction(4),
        date(2024, 2, 29),
        datetime(2024, 1, 2, 3, 4, 5, 6, tzinfo=UTC),
        datetime(2024, 1, 2),
        time(1, 2, 3),
        timedelta(days=-1, seconds=5),
        ValueError("x", 1),
        float("-inf"),
        {float("nan"), 1.0},
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_the_encoder_writes_is_accepted(value):
    assert check_value(encoded(value)) == encoded(value)


def s(text):
    return {"t": "str", "v": text}


@pytest.mark.parametrize(
    "value",
    [
        {"t": "dataclass", "v": {"class": "P", "fields": [["x", s("a")]]}},
        {"t": "namedtuple", "v": {"class": "P", "fields": [["x", {"t": "list", "v": []}]]}},
        {"t": "enum", "v": {"class": "Color", "fields": [["RED", {"t": "int", "v": "1"}]]}},
        {"t": "set", "v": [{"t": "dataclass", "v": {"class": "P", "fields": []}}] * 2},
    ],
)
def test_values_of_the_programs_classes_are_accepted(value):
    assert check_value(value) is value


@pytest.mark.parametrize(
    "value",
    [
        None,
        [],
        {},
        {"t": 1},
        {"t": ["int"], "v": "1"},
        {"t": "nothing", "v": 1},
        {"t": "none", "v": None},
        {"t": "int"},
        {"t": "int", "v": "1", "w": 1},
        {"t": "int", "v": 1},
        {"t": "int", "v": "01"},
        {"t": "int", "v": "-0"},
        {"t": "int", "v": "+1"},
        {"t": "int", "v": "1_0"},
        {"t": "int", "v": "\u0661"},
        {"t": "int", "v": "0x10"},
        {"t": "int", "v": "0x" + "7" + "f" * 3321},
        {"t": "int", "v": "0X8" + "f" * 4000},
        {"t": "int", "v": "9" * 4000},
        {"t": "int", "v": "9" * 5000},
        {"t": "bool", "v": 1},
        {"t": "float", "v": 1.5},
        {"t": "float", "v": "1.5"},
        {"t": "float", "v": "-nan"},
        {"t": "float", "v": "0x1.0p+9999"},
        {"t": "complex", "v": ["nan"]},
        {"t": "str", "v": b"a"},
        {"t": "bytes", "v": "a"},
        {"t": "bytes", "v": "YW=="},
        {"t": "bytes", "v": "YQ==\n"},
        {"t": "bytes", "v": "\u00e9==="},
        {"t": "list", "v": {}},
        {"t": "list", "v": [1]},
        {"t": "set", "v": [{"t": "list", "v": []}]},
        {"t": "set", "v": [{"t": "tuple", "v": [{"t": "bytearray", "v": ""}]}]},
        {"t": "set", "v": [s("a"), s("a")]},
        {"t": "set", "v": [{"t": "int", "v": "1"}, {"t": "float", "v": "0x1.0000000000000p+0"}]},
        {"t": "dict", "v": [[s("a")]]},
        {"t": "dict", "v": [[s("a"), s("b")], [s("a"), s("c")]]},
        {"t": "dict", "v": [[{"t": "dict", "v": []}, s("b")]]},
        {"t": "range", "v": [0, 1, 0]},
        {"t": "range", "v": [0, 1, True]},
        {"t": "range", "v": [0, 1 << 14000, 1]},
        {"t": "Decimal", "v": "1,5"},
        {"t": "Decimal", "v": "01"},
        {"t": "Fraction", "v": "2/4"},
        {"t": "Fraction", "v": "1/0"},
        {"t": "Fraction", "v": "1/-2"},
        {"t": "Fraction", "v": "3/1"},
        {"t": "date", "v": "2024-02-30"},
        {"t": "date", "v": "20240228"},
        {"t": "datetime", "v": "2024-01-02 03:04"},
        {"t": "time", "v": "25:00"},
        {"t": "timedelta", "v": [1, 86400, 0]},
        {"t": "timedelta", "v": [10**12, 0, 0]},
        {"t": "exception", "v": {"class": "E", "fields": []}},
        {"t": "dataclass", "v": {"class": 1, "fields": []}},
        {"t": "dataclass", "v": {"class": "P", "fields": [["x", s("a")], ["x", s("b")]]}},
        {"t": "enum", "v": {"class": "C", "fields": []}},
        {"t": "instance", "class": "P", "args": [], "kwargs": []},
        {"t": "member", "class": "C", "name": "RED"},
    ],
    ids=lambda value: str(value)[:60],
)
def test_anything_else_is_refused(value):
    with pytest.raises(ValueError, match=r"."):
        check_value(value)


def nested(levels):
    value = {"t": "list", "v": []}
    for _ in range(levels - 1):
        value = {"t": "list", "v": [value]}
    return value


def test_depth_is_bounded_where_the_encoder_bounds_it():
    assert check_value(nested(100))
    with pytest.raises(ValueError, match="nested too deeply"):
        check_value(nested(101))
    with pytest.raises(ValueError, match="nested too deeply"):
        check_value(nested(sys.getrecursionlimit() * 3))


def test_the_number_of_parts_is_bounded():
    value = {"t": "list", "v": [{"t": "none"}] * 10}
    assert check_value(value, max_nodes=11) is value
    with pytest.raises(ValueError, match="too many parts"):
        check_value(value, max_nodes=10)


def test_frozensets_within_frozensets_take_linear_time():
    value = {"t": "frozenset", "v": [{"t": "int", "v": str(i)} for i in range(5000)]}
    for _ in range(90):
        value = {"t": "frozenset", "v": [value]}
    start = process_time()
    check_value(value)
    assert process_time() - start < 2
