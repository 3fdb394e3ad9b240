"""The typed world's operations: for each kind of value families of variants.

Where a program is drawn, a family is drawn first and then a variant, so that one with many
constants is no commoner than others. A test holds every function here against the verifier.
"""

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from itertools import permutations, product
from typing import Any

from trainer_client.tiny.worlds.operation import Apply, Operation, fold
from trainer_client.tiny.worlds.values import LETTERS, Kind, Value

Family = tuple[Operation, ...]
BOOL, INT, STR, INTS, STRS, TUPLE, DICT = Kind

_DIGITS = range(1, 10)
_FEW = range(2, 6)


def _one(source: str, result: Kind, apply: Apply) -> Family:
    return (Operation(source, result, apply),)


def _each(
    constants: Iterable[Any],
    result: Kind,
    write: Callable[[Any], str],
    apply: Callable[[Any, Any], Value],
) -> Family:
    """Make a variant for each constant: its source, and what it does to a value and a constant."""
    return tuple(
        Operation(write(constant), result, partial(_applied, apply, constant))
        for constant in constants
    )


def _applied(apply: Callable[[Any, Any], Value], constant: Any, value: Any) -> Value:
    return apply(value, constant)


def _loops(constants: Iterable[Any], make: Callable[[Any], Operation]) -> Family:
    """Make a loop for each constant."""
    return tuple(make(constant) for constant in constants)


_BOOL: tuple[Family, ...] = (
    _one("not x", BOOL, lambda x: not x),
    _one("int(x)", INT, int),
    _one("str(x)", STR, lambda x: "True" if x else "False"),
    _each(permutations(_FEW, 2), INT, lambda c: f"{c[0]} if x else {c[1]}", lambda x, c: c[not x]),
    _each(
        permutations(LETTERS, 2),
        STR,
        lambda c: f"'{c[0]}' if x else '{c[1]}'",
        lambda x, c: c[not x],
    ),
)

_INT: tuple[Family, ...] = (
    _each(_DIGITS, INT, lambda c: f"x + {c}", lambda x, c: x + c),
    _each(_DIGITS, INT, lambda c: f"x - {c}", lambda x, c: x - c),
    _each(_FEW, INT, lambda c: f"x * {c}", lambda x, c: x * c),
    _each(_FEW, INT, lambda c: f"x % {c}", lambda x, c: x % c),
    _each(_FEW, INT, lambda c: f"x // {c}", lambda x, c: x // c),
    _one("-x", INT, lambda x: -x),
    _one("abs(x)", INT, abs),
    _each(range(0, 40, 5), BOOL, lambda c: f"x > {c}", lambda x, c: x > c),
    _one("x % 2 == 0", BOOL, lambda x: x % 2 == 0),
    _one("str(x)", STR, str),
    _each(_DIGITS, INTS, lambda c: f"[x, x + {c}]", lambda x, c: [x, x + c]),
    _each(_DIGITS, TUPLE, lambda c: f"(x, {c})", lambda x, c: (x, c)),
    _one("list(range(x % 6))", INTS, lambda x: list(range(x % 6))),
    _each(
        _DIGITS,
        INT,
        lambda c: f"x + {c} if x > 9 else x - {c}",
        lambda x, c: x + c if x > 9 else x - c,
    ),
    _loops(
        product((2, 3), _FEW),
        lambda c: fold(
            INT,
            ("x", lambda x: x),
            (f"n in range({c[0]})", lambda _: range(c[0])),
            (f"t * 2 - {c[1]}", lambda t, _: t * 2 - c[1]),
        ),
    ),
)

_STR: tuple[Family, ...] = (
    _one("x[::-1]", STR, lambda x: x[::-1]),
    _one("x.upper()", STR, lambda x: x.upper()),
    _one("x[1:]", STR, lambda x: x[1:]),
    _one("x[:-1]", STR, lambda x: x[:-1]),
    _one("x * 2", STR, lambda x: x * 2),
    _each(LETTERS, STR, lambda c: f"x + '{c}'", lambda x, c: x + c),
    _each(LETTERS, STR, lambda c: f"'{c}' + x", lambda x, c: c + x),
    _each(
        permutations(LETTERS, 2),
        STR,
        lambda c: f"x.replace('{c[0]}', '{c[1]}')",
        lambda x, c: x.replace(*c),
    ),
    _one("x[0]", STR, lambda x: x[0]),
    _one("len(x)", INT, len),
    _each(LETTERS, INT, lambda c: f"x.count('{c}')", lambda x, c: x.count(c)),
    _each(LETTERS, INT, lambda c: f"x.find('{c}')", lambda x, c: x.find(c)),
    _each(LETTERS, BOOL, lambda c: f"'{c}' in x", lambda x, c: c in x),
    _one("x == x[::-1]", BOOL, lambda x: x == x[::-1]),
    _one("list(x)", STRS, list),
    _one("sorted(x)", STRS, sorted),
    _each(LETTERS, STRS, lambda c: f"x.split('{c}')", lambda x, c: x.split(c)),
    _one("{c: x.count(c) for c in x}", DICT, lambda x: {c: x.count(c) for c in x}),
    _loops(
        LETTERS,
        lambda letter: fold(
            STR,
            ("''", lambda _: ""),
            ("c in x", lambda x: x),
            (f"c + t + '{letter}'", lambda t, c: c + t + letter),
        ),
    ),
)

_ROW: tuple[Family, ...] = (
    _one("len(x)", INT, len),
    _one("sum(x)", INT, sum),
    _one("max(x)", INT, max),
    _one("min(x)", INT, min),
    _one("x[0]", INT, lambda x: x[0]),
    _one("x[-1]", INT, lambda x: x[-1]),
    _each(_DIGITS, INT, lambda c: f"x.count({c})", lambda x, c: x.count(c)),
    _each(_DIGITS, BOOL, lambda c: f"{c} in x", lambda x, c: c in x),
    _one("sorted(x)", INTS, sorted),
    _each(_DIGITS, INTS, lambda c: f"[n + {c} for n in x]", lambda x, c: [n + c for n in x]),
    _each(_FEW, INTS, lambda c: f"[n * {c} for n in x]", lambda x, c: [n * c for n in x]),
    _each(
        _DIGITS, INTS, lambda c: f"[n for n in x if n > {c}]", lambda x, c: [n for n in x if n > c]
    ),
    _one("[n for n in x if n % 2 == 0]", INTS, lambda x: [n for n in x if n % 2 == 0]),
    _loops(
        _FEW,
        lambda c: fold(
            INT,
            ("0", lambda _: 0),
            ("n in x", lambda x: x),
            (f"t + n * {c}", lambda t, n: t + n * c),
        ),
    ),
    _loops(
        _DIGITS,
        lambda c: fold(
            INT,
            (str(c), lambda _: c),
            ("n in x", lambda x: x),
            ("n - t", lambda t, n: n - t),
        ),
    ),
)
"""What lists and tuples of numbers have in common."""

_INTS: tuple[Family, ...] = (
    *_ROW,
    _one("x[::-1]", INTS, lambda x: x[::-1]),
    _one("x[1:]", INTS, lambda x: x[1:]),
    _one("x[:-1]", INTS, lambda x: x[:-1]),
    _one("x * 2", INTS, lambda x: x * 2),
    _each(_DIGITS, INTS, lambda c: f"x + [{c}]", lambda x, c: [*x, c]),
    _each(_DIGITS, INTS, lambda c: f"[{c}] + x", lambda x, c: [c, *x]),
    _one("tuple(x)", TUPLE, tuple),
    _one("[str(n) for n in x]", STRS, lambda x: [str(n) for n in x]),
)

_TUPLE: tuple[Family, ...] = (
    *_ROW,
    _one("x[::-1]", TUPLE, lambda x: x[::-1]),
    _one("x[1:]", TUPLE, lambda x: x[1:]),
    _one("x * 2", TUPLE, lambda x: x * 2),
    _each(_DIGITS, TUPLE, lambda c: f"x + ({c},)", lambda x, c: (*x, c)),
    _each(_DIGITS, TUPLE, lambda c: f"({c},) + x", lambda x, c: (c, *x)),
    _one("list(x)", INTS, list),
    _one("x[0] + x[-1]", INT, lambda x: x[0] + x[-1]),
)

_STRS: tuple[Family, ...] = (
    _one("x[::-1]", STRS, lambda x: x[::-1]),
    _one("sorted(x)", STRS, sorted),
    _one("x[1:]", STRS, lambda x: x[1:]),
    _each(LETTERS, STRS, lambda c: f"x + ['{c}']", lambda x, c: [*x, c]),
    _one("''.join(x)", STR, "".join),
    _one("'-'.join(x)", STR, "-".join),
    _one("len(x)", INT, len),
    _one("x[0]", STR, lambda x: x[0]),
    _one("x[-1]", STR, lambda x: x[-1]),
    _each(LETTERS, BOOL, lambda c: f"'{c}' in x", lambda x, c: c in x),
    _one("[s.upper() for s in x]", STRS, lambda x: [s.upper() for s in x]),
    _one("[s[::-1] for s in x]", STRS, lambda x: [s[::-1] for s in x]),
    _each(LETTERS, STRS, lambda c: f"[s + '{c}' for s in x]", lambda x, c: [s + c for s in x]),
    _each(
        LETTERS,
        STRS,
        lambda c: f"[s for s in x if '{c}' in s]",
        lambda x, c: [s for s in x if c in s],
    ),
    _one("[len(s) for s in x]", INTS, lambda x: [len(s) for s in x]),
    _one("{s: len(s) for s in x}", DICT, lambda x: {s: len(s) for s in x}),
    (
        fold(
            STR,
            ("''", lambda _: ""),
            ("s in x", lambda x: x),
            ("s[0] + t", lambda t, s: s[0] + t),
        ),
    ),
)

_DICT: tuple[Family, ...] = (
    _one("list(x)", STRS, list),
    _one("sorted(x)", STRS, sorted),
    _one("list(x.values())", INTS, lambda x: list(x.values())),
    _one("tuple(x.values())", TUPLE, lambda x: tuple(x.values())),
    _one("len(x)", INT, len),
    _one("sum(x.values())", INT, lambda x: sum(x.values())),
    _one("max(x.values())", INT, lambda x: max(x.values())),
    _each(LETTERS, INT, lambda c: f"x.get('{c}', 0)", lambda x, c: x.get(c, 0)),
    _each(LETTERS, BOOL, lambda c: f"'{c}' in x", lambda x, c: c in x),
    _each(
        product(LETTERS, _DIGITS),
        DICT,
        lambda c: f"x | {{'{c[0]}': {c[1]}}}",
        lambda x, c: x | {c[0]: c[1]},
    ),
    _each(
        _DIGITS,
        DICT,
        lambda c: f"{{k: v + {c} for k, v in x.items()}}",
        lambda x, c: {k: v + c for k, v in x.items()},
    ),
    _each(
        _DIGITS,
        DICT,
        lambda c: f"{{k: v for k, v in x.items() if v > {c}}}",
        lambda x, c: {k: v for k, v in x.items() if v > c},
    ),
    _one(
        "{k.upper(): v for k, v in x.items()}", DICT, lambda x: {k.upper(): v for k, v in x.items()}
    ),
    _loops(
        _DIGITS,
        lambda c: fold(
            INT,
            (str(c), lambda _: c),
            ("v in x.values()", lambda x: x.values()),
            ("v - t", lambda t, v: v - t),
        ),
    ),
)

FAMILIES: Mapping[Kind, tuple[Family, ...]] = {
    BOOL: _BOOL,
    INT: _INT,
    STR: _STR,
    INTS: _INTS,
    STRS: _STRS,
    TUPLE: _TUPLE,
    DICT: _DICT,
}
"""What can be done to a value of each kind."""
