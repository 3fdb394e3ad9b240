"""Text becomes the value that Python would build, or an error, and never takes long."""

import ast
import json
import sys
from collections import Counter, OrderedDict, defaultdict, deque
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from time import process_time

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import executor_service.typed.literals as literals_module
from executor_service.errors import LiteralError
from executor_service.sandbox.runner.encode import Encoder
from executor_service.typed.equality import equal
from executor_service.typed.literals import Bounds, parse_arguments, parse_literal


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


REFUSED = [
    "", " ", "# only", "1 2", "1\n2", "[1", "[1 2]", "(1", "{1: 2, 3}", "{1, 2: 3}", "{:}", "[,]",
    "'abc", "'''abc", "'a\nb'", "01", "1__0", "1_", "0x", "0b2", "1abc", "1e", "$", "a",
    "not True", "1 if True else 2", "1 < 2", "1 == 1", "True and False", "[x for x in [1]]",
    "[1][0]", "'a'.upper()", "lambda: 1", "f'{1}'", "(x := 1)", "*[1]", "[*[1]]", "{**{}}",
    "yield", "await x", "eval('1')", "exec('1')", "open('x')", "print(1)", "getattr(1, 'x')",
    "type(1)", "object()", "__import__('os')", "__build_class__()", "__class__", "len([1])",
    "sorted([1])", "globals()", "\uff45val('1')", "os.system('x')", "a.b.c", "a.__class__",
    "Color.for", "datetime.os", "Point(1).x", "Point(1)(2)", "int", "Point", "{[1]: 2}", "{[1]}",
    "{{1}}", "{{}: 1}", "{bytearray(b'')}", "{(1, [2])}", "set([[1]])", "Counter([[1]])",
    "dict([1])", "dict([(1, 2, 3)])", "'a' + 1", "'a' % 1", "[1] + (1,)", "[1] * 1.5",
    "[1] * [1]", "'a' - 'b'", "{1} | {2}", "-'a'", "~1.5", "1.5 << 1", "1 // 1j", "1 / 0",
    "0 ** -1", "1 << -1", "2.0 ** 10000", "1 @ 2", "None + 1", "int('x')", "int('9' * 5000)",
    "int([1])", "float('x')", "complex('x')", "Decimal('x')", "Decimal((0, (1,), 0))",
    "Fraction(1, 0)", "Fraction('1e999999999')", "range(1.5)", "range(1, 2, 0)",
    "date(2024, 2, 30)", "time(25)", "timezone.utc", "timedelta(days=10**10)", "bytes(-1)",
    "bytes([256])", "bytes('a')", "bytes('a', 'rot13')", "list({1, 2})", "list(5)",
    "deque([1], maxlen=-1)", "ValueError(x=1)", "defaultdict(lambda: 0, {})",
    "defaultdict(<x>, {})", "<Color.RED>", "<object at 0x7f>", "<Color.RED: 1", "'\\x4'",
    "'\\u12'", "'\\U00110000'", "'\\N{no such name}'", "'\\N'", "b'\\x4'", "b'\u00e9'",
    "'a' b'b'", "\ufeff1", "'\0'", "'\ud800'", "1;2", "x = 1", "str([1])", "[" * 101 + "]" * 101,
]  # fmt: skip


@pytest.mark.parametrize("text", REFUSED, ids=lambda text: ascii(text[:30]))
def test_everything_else_is_refused_with_a_place(text):
    with pytest.raises(LiteralError) as error:
        parse_literal(text)
    assert 5 < len(str(error.value)) < 400


def test_a_message_names_the_place():
    with pytest.raises(LiteralError, match=r"found 'for x in y\]' at character 4"):
        parse_literal("[1 for x in y]")


MILLION = 1_000_000
HOSTILE = {
    "brackets": "[" * 100_000,
    "parentheses": "(" * 100_000,
    "braces": "{" * 100_000,
    "nested dicts": "{1:" * 100_000,
    "nested calls": "f(" * 100_000,
    "signs": "-" * 100_000 + "1",
    "sum": "1+" * 100_000 + "1",
    "power chain": "2" + "**1" * 100_000,
    "power": "9**9**9",
    "tower": "10**10**9",
    "product": "*".join(["(10**4000)"] * 20_000),
    "quotients": "[" + "10**20000//10**9999," * 5000 + "]",
    "conversions": "[" + "2**13000," * 20_000 + "]",
    "shift": "1<<10**9",
    "digits": "9" * MILLION,
    "hexadecimal": "0x" + "f" * MILLION,
    "exponent": "1e" + "9" * MILLION,
    "underscores": "1_" * (MILLION // 2),
    "long list": "[" + "1," * 400_000 + "]",
    "many strings": "'a'" * 300_000,
    "unterminated": "'" + "a" * MILLION,
    "unterminated triple": "'''" + "''a" * (MILLION // 4),
    "escapes": "'" + "\\n" * (MILLION // 2 - 2) + "'",
    "rare escapes": "'" + "\\N{DASH}" * (MILLION // 9) + "'",
    "comments": "#\n" * (MILLION // 2),
    "blanks": " " * MILLION + "1",
    "long name": "a" * MILLION,
    "ligatures": "\ufb01" * 300_000,
    "repetition": "[0]*10**9",
    "text repetition": "'a'*10**12",
    "repeated repetition": "[0]*10000" + "*1" * 300_000,
    "repetition of repetition": "[[[[0]*100]*100]*100]*100",
    "text sum": "''" + "+'a'" * 100_000,
    "huge range": "list(range(10**12))",
    "fractions": "[" + "Fraction(7**4000,3**3000)," * 4000 + "]",
    "decimals": "[" + "Decimal('1E-400000')," * 4000 + "]",
    "frozensets": "frozenset({" * 40 + ",".join(map(str, range(19_000))) + "})" * 40,
    "collisions": "{" + ",".join(str((2**61 - 1) * n) for n in range(15_000)) + "}",
    "angles": "<A" * 1000,
    "factory": "defaultdict(<class " + "<a>" * 100_000,
    "names": ",".join(f"a{n}=1" for n in range(50_000)),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_text_is_answered_quickly(name):
    for parse in (parse_literal, parse_arguments):
        start = process_time()
        try:
            parse(HOSTILE[name])
        except LiteralError as error:
            assert len(str(error)) < 400
        # A tenth of a second on an idle machine; the margin is for a busy one.
        assert process_time() - start < 0.5


def test_a_text_over_the_limit_is_refused_at_once():
    with pytest.raises(LiteralError, match="more than 1048576 characters"):
        parse_literal("1" * 1_048_577)
    with pytest.raises(LiteralError, match="more than 3 values"):
        parse_literal("[1, 2, 3]", Bounds(max_nodes=3))


def test_a_hundred_levels_fit_even_below_a_deep_stack():
    def deep(levels):
        return parse_literal("[" * 100 + "]" * 100) if levels == 0 else deep(levels - 1)

    assert deep(sys.getrecursionlimit() // 3)["t"] == "list"


def test_the_parser_uses_nothing_that_evaluates_text():
    folder = Path(literals_module.__file__).parent
    for path in folder.glob("literal*.py"):
        tree = ast.parse(path.read_text())
        names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
        modules = {
            name
            for node in ast.walk(tree)
            if isinstance(node, ast.Import | ast.ImportFrom)
            for name in [getattr(node, "module", None), *(alias.name for alias in node.names)]
        }
        assert not names & {"eval", "exec", "compile", "__import__"}
        assert not modules & {"ast", "tokenize", "pickle", "code", "importlib"}


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


@given(st.text(alphabet="()[]{}<>,:=.'\"\\#\n 019aefjnxbrN+-*/%~_|&^"))
def test_any_text_gives_a_value_or_a_literal_error(text):
    for parse in (parse_literal, parse_arguments):
        try:
            parse(text)
        except LiteralError as error:
            assert str(error)
