"""Text becomes the value that Python would build, or an error, and never takes long."""

import json
from collections import Counter, OrderedDict, defaultdict, deque
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from executor_service.errors import LiteralError
from executor_service.sandbox.runner.encode import Encoder
from executor_service.typed.equality import equal
from executor_service.typed.literals import parse_arguments, parse_literal


def encoded(value):
    return json.loads(Encoder(10_000_000).encode(value))


NAMESPACE = {
    "Counter": Counter,
    "Decimal": Decimal,
    "Fraction": Fraction,
    "OrderedDict": OrderedDict,
    "date": date,
    "datetime": datetime,
    "defaultdict": defaultdict,
    "deque": deque,
    "inf": float("inf"),
    "nan": float("nan"),
    "time": time,
    "timedelta": timedelta,
    "timezone": timezone,
}

SAME_AS_PYTHON = r"""
0
00
1_000_000
0xFF_ff
0o17
0b1_01
1.5
1.
.5
1e10
1E-5
1_0.0_1e1_0
3j
1.5e3J
None
True
...
Ellipsis
'a'
"it's"
'a' "b" 'c'
'a\n\t\\\'\"\x41\u00e9\U0001F600\101\0'
'\N{BULLET}\N{LATIN SMALL LETTER A}'
'\u20ac uro € \x41'
r'\n' R"\d"
u'x'
b'\x00\xff\101' B"a"
rb'\n' bR'\x' Rb"a"
'''a
'b' "c"'''
""
''
'''''' ""
'back\\slash'
'\\'
[]
[1, 2,]
()
(1)
(1,)
(1, (2, 3), [4, {5}],)
{}
{1: 2, 'a': [3],}
{1, 2, 2,}
{1, True, 1.0}
{True, 1}
{'a': 1, 'a': 2}
{1: 'a', True: 'b', 1.0: 'c'}
{(1, 2): {3: 4}}
{frozenset({1}), frozenset([1])}
-1
- -1
+1.5
~5
~True
-True
+True
-2 ** 2
2 ** -1
2 ** 3 ** 2
(-8) ** 2
1 + 2 * 3
7 // 2 - 7 % 3
-7 // 2
-7 % 3
7 / 2
1 - 2 - 3
1 << 3 + 1
255 & 15 | 16 ^ 3
True & False
True | 2
1 + True
1.5 + 2
1 + 2j * 3
10 ** 50
10 ** 4000 // 10 ** 3990
2 ** 13287
5 % -3
1e308 * 10
-1 >> 1000
[0] * 3
3 * [1, 2]
'ab' * 3
'ab' + 'cd'
b'a' + b'b'
b'ab' * 2
(1,) * 2 + (3,)
[1] * -1
[[0] * 2] * 2
[1] + [2] * 2
set()
set([1, 2])
set('aab')
frozenset()
frozenset((1, 2))
list()
list(range(1, 6))
list('abc')
list({'a': 1})
tuple([1, 2])
tuple(range(3))
dict()
dict(a=1, b=[2])
dict([('a', 1), (2, 3)])
dict({'a': 1}, b=2)
dict(['ab', 'cd'])
range(5)
range(1, 10, -2)
bytes()
bytes(3)
bytes([1, 2])
bytes('é', 'utf-8')
bytearray(b'ab')
complex(1, 2)
complex('1+2j')
complex(imag=2)
int()
int('5')
int(' -12 ')
int(3.9)
int('ff', 16)
int('0x_ff', 0)
float('100.005')
float('inf')
float('-nan')
float(3)
float()
str(5)
str(1.5)
str('a')
str(None)
str(True)
bool(0)
bool('')
bool([])
bool(None)
deque([1, 2])
deque('abc', maxlen=2)
deque([1, 2, 3], 2)
OrderedDict([('b', 1), ('a', 2)])
OrderedDict({'b': 1})
OrderedDict(a=1)
Counter('abca')
Counter({'a': 3})
Counter([1, True, 2])
Counter(a=2)
defaultdict(int, {'a': 1})
defaultdict(list)
defaultdict(None, [('a', 1)])
Decimal('1.50')
Decimal(5)
Decimal(0.1)
Decimal('NaN')
Fraction(1, 2)
Fraction('3/6')
Fraction(0.5)
Fraction('1.25')
Fraction(4)
date(2024, 2, 29)
datetime(2024, 1, 2, 3, 4, 5, 6)
datetime(2024, 1, 2, tzinfo=timezone.utc)
datetime(2024, 1, 2, tzinfo=timezone(timedelta(hours=-5)))
time(1, 2)
time(hour=1, tzinfo=None)
timedelta(days=1, hours=2.5)
timedelta(1, 2, 3)
nan
-inf
ValueError('x')
KeyError()
[1, 2, # a comment ] } '
 3]
(1 +
 2)
1, 2
1,
"""


def texts():
    lines = SAME_AS_PYTHON.strip("\n").split("\n")
    joined = "\n".join(lines)
    for pair in ("'''a\n'b' \"c\"'''", "[1, 2, # a comment ] } '\n 3]", "(1 +\n 2)"):
        joined = joined.replace(pair, pair.replace("\n", "\x00"))
    return [text.replace("\x00", "\n") for text in joined.split("\n")]


@pytest.mark.parametrize("text", texts())
def test_text_stands_for_what_python_makes_of_it(text):
    expected = eval(text, dict(NAMESPACE))  # the parser's whole point is not to
    assert equal(parse_literal(text), encoded(expected))
    assert parse_literal(f" \n{text}\r\n") == parse_literal(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("collections.deque([1])", deque([1])),
        ("collections.Counter('a')", Counter("a")),
        ("decimal.Decimal('1')", Decimal(1)),
        ("datetime.date(2024, 1, 2)", date(2024, 1, 2)),
        (
            "datetime.datetime(2024, 1, 2, 0, 0, tzinfo=datetime.timezone.utc)",
            datetime(2024, 1, 2, tzinfo=UTC),
        ),
        ("datetime.timedelta(days=1)", timedelta(1)),
        ("fractions.Fraction(1, 2)", Fraction(1, 2)),
        ("math.inf", float("inf")),
        ("defaultdict(<class 'int'>, {'a': 1})", defaultdict(int, a=1)),
        ("defaultdict(<function f.<locals>.<lambda> at 0x7f>, {'a': 1})", defaultdict(int, a=1)),
        ("{'a': defaultdict(<class 'list'>, {})}", {"a": defaultdict(list)}),
        ("(nan+infj)", complex(float("nan"), float("inf"))),
        ("'a\\\n b'", "a b"),
        ("'''a\r\nb\rc'''", "a\nb\nc"),
        ("1 \\\n + 1", 2),
        ("'\\d'", "\\d"),
        ("b'\\N{x}\\u1'", b"\\N{x}\\u1"),
        ("'\\400'", "\u0100"),
        ("b'\\400'", b"\x00"),
    ],
)
def test_texts_that_only_printing_or_modules_make(text, value):
    assert equal(parse_literal(text), encoded(value))


def test_the_first_of_equal_elements_stays_with_the_last_value():
    assert parse_literal("{1.0, 1, True}")["v"] == [encoded(1.0)]
    assert parse_literal("{1: 'a', True: 'b'}")["v"] == [[encoded(1), encoded("b")]]
    assert len(parse_literal("{nan, nan}")["v"]) == 2


def test_calls_and_members_of_other_names_are_left_to_who_knows_the_classes():
    point = {"t": "instance", "class": "Point", "args": [encoded(1)], "kwargs": [["y", encoded(2)]]}
    assert parse_literal("Point(1, y=2)") == point
    assert parse_literal("f.<locals>.Point(1, y=2)") == point
    assert parse_literal("Color.RED") == {"t": "member", "class": "Color", "name": "RED"}
    assert parse_literal("Reduce.sum") == {"t": "member", "class": "Reduce", "name": "sum"}
    red = {"t": "enum", "v": {"class": "Color", "fields": [["RED", encoded(1)]]}}
    assert parse_literal("<Color.RED: 1>") == red
    assert parse_literal("<Perm.R|W: 6>")["v"]["fields"][0][0] == "R|W"


@pytest.mark.parametrize(
    ("text", "args", "kwargs"),
    [
        ("", [], {}),
        ("  # nothing", [], {}),
        ("'John', {'age': 20}", ["John", {"age": 20}], {}),
        ("1, x=2, y=[3],", [1], {"x": 2, "y": [3]}),
        ("a = [False],\nb = 1", [], {"a": [False], "b": 1}),
        ("(1, 2)", [(1, 2)], {}),
        ("-1", [-1], {}),
        ("int=3, max=4, input='x'", [], {"int": 3, "max": 4, "input": "x"}),
    ],
)
def test_an_argument_list_is_split_at_its_top(text, args, kwargs):
    parsed = parse_arguments(text)
    assert list(parsed.args) == [encoded(value) for value in args]
    assert dict(parsed.kwargs) == {name: encoded(value) for name, value in kwargs.items()}


@pytest.mark.parametrize(
    "text",
    [
        "1) or (True", "0), (1", "*[1]", "**{}", "x=1, 2", "x=1, x=2", "1 2", ",", "1,,2", "x=",
        "x==1", "None=1", "__x=1", "x:=1", "f(1).y", "lambda=1",
    ],
)  # fmt: skip
def test_what_is_no_argument_list_of_data_is_refused(text):
    with pytest.raises(LiteralError):
        parse_arguments(text)


scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.complex_numbers(),
    st.text(st.characters(codec="utf-8")),
    st.binary(),
)
hashables = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(tuple), st.frozensets(inner, max_size=3)
    ),
    max_leaves=4,
)
values = st.recursive(
    hashables,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.sets(hashables, max_size=3),
        st.dictionaries(hashables, inner, max_size=3),
        st.dictionaries(hashables, inner, max_size=3).map(lambda v: defaultdict(int, v)),
        st.lists(inner, max_size=3).map(deque),
    ),
    max_leaves=10,
)


@given(values)
def test_every_repr_parses_to_its_value(value):
    assert equal(parse_literal(repr(value)), encoded(value))
    assert equal(parse_arguments(repr(value)).args[0], encoded(value))


operators = st.sampled_from(["+", "-", "*", "/", "//", "%", "**", "<<", ">>", "&", "|", "^"])
numbers = st.sampled_from(["0", "1", "7", "-3", "2.5", "True", "1e3", "2j", "(4)", "~2", "10"])


@given(st.lists(st.tuples(operators, numbers), min_size=1, max_size=4), numbers)
def test_arithmetic_gives_what_python_gives(terms, first):
    # A second power would keep Python itself busy for hours; ours is tried on towers elsewhere.
    assume(sum(operator in ("**", "<<") for operator, _ in terms) <= 1)
    text = first + "".join(f" {operator} {number}" for operator, number in terms)
    try:
        expected = eval(text)
        small = not isinstance(expected, int) or abs(expected) < 2**10_000
    except (ArithmeticError, TypeError, ValueError):
        expected, small = None, True
    try:
        assert equal(parse_literal(text), encoded(expected))
    except LiteralError:
        assert expected is None or not small
