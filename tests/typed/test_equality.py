"""The three equalities: typed, Python's and approximate."""

import json
from collections import Counter, OrderedDict, defaultdict, deque
from datetime import UTC, datetime, time, timedelta, timezone
from decimal import Decimal
from fractions import Fraction
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from executor_service.sandbox.runner.encode import Encoder
from executor_service.typed.equality import equal, typed_key
from executor_service.typed.literals import parse_literal


def encoded(value):
    return json.loads(Encoder(10_000_000).encode(value))


def same(left, right, equality="typed", **tolerance):
    """Compare both ways round; the rules are symmetric."""
    a, b = (parse_literal(v) if isinstance(v, str) else v for v in (left, right))
    forth, back = equal(a, b, equality, **tolerance), equal(b, a, equality, **tolerance)
    assert forth == back
    return forth


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("True", "1"),
        ("1", "1.0"),
        ("1.0", "1+0j"),
        ("[1]", "(1,)"),
        ("{1}", "frozenset({1})"),
        ("b'a'", "bytearray(b'a')"),
        ("'a'", "b'a'"),
        ("{'a': 1}", "OrderedDict(a=1)"),
        ("Counter(a=1)", "{'a': 1}"),
        ("[True, 2, 3.0]", "[1, 2, 3]"),
        ("{1: 'a'}", "{True: 'a'}"),
        ("OrderedDict([(1, 2), (3, 4)])", "OrderedDict([(3, 4), (1, 2)])"),
        ("range(0)", "range(1, 1)"),
        ("Decimal(1)", "Fraction(1)"),
        ("'\u00e9'", "'e\u0301'"),
        ("None", "0"),
        ("[]", "None"),
        ("'1'", "1"),
    ],
)
def test_typed_equality_tells_apart(left, right):
    assert not same(left, right)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("nan", "float('nan')"),
        ("[nan, {'a': nan}]", "[nan, {'a': nan}]"),
        ("{nan}", "{nan}"),
        ("0.0", "-0.0"),
        ("complex(0.0, nan)", "complex(-0.0, nan)"),
        ("{1: 2, 3: 4}", "{3: 4, 1: 2}"),
        ("{1, 2, 'a'}", "{'a', 2, 1}"),
        ("{frozenset({1, 2}), 3}", "{3, frozenset({2, 1})}"),
        ("Decimal('1.0')", "Decimal('1.00')"),
        ("10**5000", "int(10)**5000"),
        ("OrderedDict([(1, 2)])", "OrderedDict({1: 2})"),
    ],
)
def test_typed_equality_holds(left, right):
    assert same(left, right)


def test_sets_with_elements_that_look_alike_are_compared_by_count():
    point = {"t": "dataclass", "v": {"class": "P", "fields": []}}
    one, two = {"t": "set", "v": [point]}, {"t": "set", "v": [point, point]}
    assert not same(one, two)
    assert same(two, dict(two))


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("True", "1.0"),
        ("1", "Decimal(1)"),
        ("Fraction(1, 2)", "0.5"),
        ("Fraction(1, 2)", "Decimal('0.50')"),
        ("1+0j", "1"),
        ("{1: 'a'}", "{True: 'a'}"),
        ("{1}", "frozenset({1.0})"),
        ("b'a'", "bytearray(b'a')"),
        ("{'a': 1}", "defaultdict(int, {'a': 1})"),
        ("{'a': 1, 'b': 2}", "OrderedDict(b=2, a=1)"),
        ("Counter(a=1)", "Counter(a=1, b=0)"),
        ("range(0, 3, 2)", "range(0, 4, 2)"),
        ("range(0)", "range(5, 1)"),
        ("-0.0", "0"),
    ],
)
def test_python_equality_holds(left, right):
    assert same(left, right, "python")


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("nan", "nan"),
        ("[nan]", "[nan]"),
        ("{1: nan}", "{1: nan}"),
        ("{nan}", "{nan}"),
        ("0.1 + 0.2", "0.3"),
        ("0.1", "Decimal('0.1')"),
        ("1e100", "10**100"),
        ("Fraction(1, 3)", "1/3"),
        ("[1]", "(1,)"),
        ("deque([1])", "[1]"),
        ("Counter(a=1)", "{'a': 1, 'b': 0}"),
        ("OrderedDict([(1, 2), (3, 4)])", "OrderedDict([(3, 4), (1, 2)])"),
        ("'1'", "1"),
    ],
)
def test_python_equality_tells_apart(left, right):
    assert not same(left, right, "python")


def test_a_named_tuple_equals_a_tuple_only_under_python_equality():
    point = {"t": "namedtuple", "v": {"class": "P", "fields": [["x", parse_literal("1")]]}}
    assert same(point, "(1.0,)", "python")
    assert not same(point, "(1,)")


def test_moments_of_two_time_zones_are_equal_only_under_python_equality():
    east = timezone(timedelta(hours=2))
    noon = datetime(2024, 1, 1, 12, tzinfo=east), datetime(2024, 1, 1, 10, tzinfo=UTC)
    assert same(*map(encoded, noon), "python")
    assert not same(*map(encoded, noon))
    clock = time(12, tzinfo=east), time(10, tzinfo=UTC)
    assert same(*map(encoded, clock), "python") == (clock[0] == clock[1])
    edge = encoded(datetime.min.replace(tzinfo=east))
    assert same(edge, edge, "python")


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        ("0.1 + 0.2", "0.3", True),
        ("1", "1.0", True),
        ("True", "1", False),
        ("[1, {'a': 0.30000000000000004}]", "[1, {'a': 0.3}]", True),
        ("1.0", "1.1", False),
        ("nan", "nan", True),
        ("nan", "1.0", False),
        ("inf", "1e308", False),
        ("inf", "inf", True),
        ("inf", "-inf", False),
        ("10**400", "10**400 + 1", True),
        ("10**400", "10**401", False),
        ("10**400", "1e300", False),
        ("10**400", "inf", False),
        ("1e16", "10**16 + 1", True),
        ("1+1j", "1+1.0000000001j", True),
        ("1+1j", "1", False),
        ("{0.1 + 0.2, 1}", "{0.3, 1.0}", True),
        ("{0.3, 'a'}", "{0.30000000000000004, 'b'}", False),
        ("{0.3: 1}", "{0.30000000000000004: 1}", False),
        ("OrderedDict(a=1, b=2)", "OrderedDict(a=1.0, b=2)", True),
        ("OrderedDict(a=1, b=2)", "OrderedDict(b=2, a=1)", False),
        ("deque([1])", "deque([1.0])", True),
        ("'a'", "'a'", True),
        ("{1: 2}", "{1: 2, 3: 4}", False),
        ("ValueError(0.1 + 0.2)", "ValueError(0.3)", True),
        ("[1]", "(1,)", False),
    ],
)
def test_approximate_equality(left, right, expected):
    assert same(left, right, "approx") is expected


def test_the_tolerance_is_relative_to_the_expected_number():
    expected, got = parse_literal("100.0"), parse_literal("91.0")
    assert equal(expected, got, "approx", rtol=0.09)
    assert not equal(got, expected, "approx", rtol=0.09)
    assert equal(got, expected, "approx", rtol=0, atol=9.0)


def record(tag, **fields):
    pairs = [[name, parse_literal(text)] for name, text in fields.items()]
    return {"t": tag, "v": {"class": "Point", "fields": pairs}}


@pytest.mark.parametrize("tag", ["dataclass", "namedtuple"])
@pytest.mark.parametrize("equality", ["typed", "python", "approx"])
def test_a_call_in_an_answer_equals_the_object_it_builds(tag, equality):
    point = record(tag, x="1", y="[2]")
    for text in ("Point(1, [2])", "Point(1, y=[2])", "Point(y=[2], x=1)"):
        assert same(text, point, equality)
    for text in ("Point(1)", "Point(1, [3])", "Point(1, [2], 3)", "Point(1, x=1)", "Pont(1, [2])"):
        assert not same(text, point, equality)
    assert same(
        "{'a': [Point(1, [2])]}",
        {"t": "dict", "v": [[{"t": "str", "v": "a"}, {"t": "list", "v": [point]}]]},
        equality,
    )


def test_calls_are_compared_by_type_under_typed_equality():
    assert not same("Point(1.0)", record("dataclass", x="1"))
    assert same("Point(1.0)", record("dataclass", x="1"), "python")
    assert same("Point(1.0)", record("dataclass", x="1"), "approx")


def test_nested_calls_and_sets_of_them_are_bound():
    inner = record("dataclass", x="1")
    outer = {"t": "dataclass", "v": {"class": "Box", "fields": [["p", inner]]}}
    assert same("Box(Point(1))", outer)
    assert same("{Box(p=Point(x=1)), 2}", {"t": "set", "v": [parse_literal("2"), outer]})


def test_enum_members_are_named_three_ways():
    red = {"t": "enum", "v": {"class": "Color", "fields": [["RED", parse_literal("1")]]}}
    for text in ("Color.RED", "Color(1)", "<Color.RED: 1>"):
        assert same(text, red)
    for text in ("Color.BLUE", "Color(2)", "<Color.RED: 2>", "Hue.RED", "Color(RED=1)", "1"):
        assert not same(text, red)


def test_an_exception_of_the_programs_own_equals_its_call():
    error = {"t": "exception", "v": {"class": "Oops", "args": [parse_literal("'x'")]}}
    assert same("Oops('x')", error)
    assert not same("Oops('y')", error)
    assert same("ValueError('x')", encoded(ValueError("x")))
    assert not same("KeyError('x')", encoded(ValueError("x")))


def test_calls_equal_the_same_call():
    assert same("Point(1, y=2)", "Point(1, y=2)")
    assert not same("Point(1, y=2)", "Point(1, y=3)")


def test_integers_chosen_to_collide_take_linear_time():
    modulus = 2**61 - 1
    value = {"t": "set", "v": [{"t": "int", "v": str(modulus * n)} for n in range(20_000)]}
    start = process_time()
    assert equal(value, dict(value))
    assert equal(value, dict(value), "python")
    assert process_time() - start < 2


numbers = st.one_of(
    st.sampled_from([0, 1, -1, 2**53, 2**53 + 1, 10**400, 1500]),
    st.sampled_from([0.0, -0.0, 1.0, 0.5, 0.1, 1e300, float("inf"), 1500.0, 5e-324]),
    st.builds(float, st.just("nan")),
    st.sampled_from([True, False]),
    st.sampled_from([Fraction(1, 2), Fraction(1, 3), Fraction(1), Fraction(3, 40)]),
    st.sampled_from([Decimal("1.50"), Decimal("1E+3"), Decimal("0.1"), Decimal("-0"), Decimal("1"),
                     Decimal("Infinity"), Decimal("0.075"), Decimal("1.5E+3")]),
    st.sampled_from([1 + 0j, 1j, complex(0.5, 0)]),
    st.integers(-3, 3),
    st.floats(),
    st.fractions(),
    st.decimals(allow_nan=False),
)  # fmt: skip
scalars = st.one_of(
    numbers, st.none(), st.text(max_size=2), st.binary(max_size=2), st.just(range(3))
)
hashables = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=2).map(tuple), st.frozensets(inner, max_size=3)
    ),
    max_leaves=3,
)


def containers(inner):
    mapping = st.dictionaries(hashables, inner, max_size=3)
    return st.one_of(
        st.lists(inner, max_size=3),
        st.lists(inner, max_size=3).map(tuple),
        st.lists(inner, max_size=3).map(deque),
        st.sets(hashables, max_size=3),
        mapping,
        mapping.map(OrderedDict),
        mapping.map(lambda pairs: defaultdict(None, pairs)),
        st.dictionaries(hashables, st.integers(0, 2), max_size=3).map(Counter),
        st.binary(max_size=2).map(bytearray),
    )


values = st.recursive(hashables, containers, max_leaves=6)


def variants(value):
    """Values that may or may not equal ``value``: other types of the same content."""
    yield value
    for convert in (list, tuple, set, dict, OrderedDict, Counter, float, int, Fraction, Decimal):
        try:
            yield convert(value)
        except (TypeError, ValueError, ArithmeticError):
            continue
    if isinstance(value, dict):
        yield OrderedDict(reversed(value.items()))


@given(values, values)
def test_python_equality_agrees_with_python(left, right):
    # Encoded and decoded values share no objects; identity makes a nan equal to itself in Python.
    nan_free = "nan" not in json.dumps([encoded(left), encoded(right)])
    for other in [right, *(variants(left) if nan_free else ())]:
        try:
            expected = left == other
            typed = encoded(left), encoded(other)
        except Exception:  # a conversion made something that has no typed form
            continue
        assert equal(*typed, "python") is expected


@given(values, values)
def test_typed_equality_is_reflexive_symmetric_and_what_the_keys_say(left, right):
    a, b = encoded(left), encoded(right)
    assert equal(a, a)
    assert equal(a, b) is equal(b, a) is (typed_key(a) == typed_key(b))
    assert equal(a, a, "approx")
    if equal(a, b):
        assert equal(a, b, "approx")
