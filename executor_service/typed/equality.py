"""When two typed values are equal: typed, as Python's ``==`` says, or approximately.

Typed: same type and equal content, recursively; ``nan`` equals ``nan``, ``0.0`` equals ``-0.0``,
Decimals of one value are equal (``1.0`` and ``1.00``), dicts compare without order, ``OrderedDict``
with it.
Python: what ``==`` says of the builtin values; a ``nan`` equals nothing. Objects of the program's
own classes, and exceptions, compare by class name and content, as their ``__eq__`` is not known.
Approx: typed, but ``int``, ``float`` and ``complex`` compare with a tolerance.

An answer's ``Point(1, y=2)`` or ``Color.RED`` is compared with an object of that class in the other
value: arguments by position fill its fields in order, the others go by name, and all fields must
be filled.
"""

from collections.abc import Callable, Iterator
from fractions import Fraction
from math import isfinite, isnan
from typing import Any, Final, Literal

from executor_service.typed.form import TypedValue, int_value
from executor_service.typed.instances import resolve_instances
from executor_service.typed.keys import Key, PythonKeys, bag, typed_key

__all__ = ["Equality", "equal", "typed_key"]

Equality = Literal["typed", "python", "approx"]

DEFAULT_RTOL: Final = 1e-6
DEFAULT_ATOL: Final = 0.0


def equal(
    expected: TypedValue,
    got: TypedValue,
    equality: Equality = "typed",
    *,
    rtol: float = DEFAULT_RTOL,
    atol: float = DEFAULT_ATOL,
) -> bool:
    """Say whether ``got`` equals ``expected``, both checked or parsed values.

    Args:
        expected: under ``approx`` the tolerance is relative to this one's numbers.
        got: the other.
        equality: which rule, see the module.
        rtol: relative tolerance of ``approx``: ``abs(got - expected) <= atol + rtol *
            abs(expected)``.
        atol: absolute tolerance of ``approx``.
    """
    if equality == "typed":
        same = _typed_equal
    elif equality == "python":
        same = _python_equal
    else:
        same = _Approx(rtol, atol).equal
    if same(expected, got):
        return True
    resolved = resolve_instances(expected, got)
    return resolved is not None and same(*resolved)


def _typed_equal(a: TypedValue, b: TypedValue) -> bool:
    return a["t"] == b["t"] and typed_key(a) == typed_key(b)


_SEQUENCES: Final = {"list": "list", "tuple": "tuple", "namedtuple": "tuple", "deque": "deque"}
_MAPPINGS: Final = frozenset({"dict", "OrderedDict", "Counter", "defaultdict"})


def _items(value: TypedValue) -> list[TypedValue]:
    body = value["v"]
    return [item for _, item in body["fields"]] if value["t"] == "namedtuple" else body


def _python_equal(a: TypedValue, b: TypedValue) -> bool:
    tag, other = a["t"], b["t"]
    family = _SEQUENCES.get(tag)
    if family is not None:
        if family != _SEQUENCES.get(other):
            return False
        return _all_equal(_items(a), _items(b), _python_equal)
    if tag in _MAPPINGS:
        return other in _MAPPINGS and _python_mappings(a, b)
    if tag in _RECORDS:
        return tag == other and _same_record(a, b, _python_equal)
    keys = PythonKeys()
    return keys.key(a) == keys.key(b)


def _python_mappings(a: TypedValue, b: TypedValue) -> bool:
    keys = PythonKeys()
    left = [(keys.key(key), item) for key, item in a["v"]]
    right = [(keys.key(key), item) for key, item in b["v"]]
    both = {a["t"], b["t"]}
    if both == {"Counter"}:
        return _counters(dict(left), dict(right))
    if both == {"OrderedDict"} and [key for key, _ in left] != [key for key, _ in right]:
        return False
    found = dict(right)
    return len(left) == len(right) and all(
        key in found and _python_equal(item, found[key]) for key, item in left
    )


def _counters(left: dict[Key, TypedValue], right: dict[Key, TypedValue]) -> bool:
    """Compare as Counter does: a missing element counts 0."""
    zero: TypedValue = {"t": "int", "v": "0"}
    return all(
        _python_equal(left.get(key, zero), right.get(key, zero)) for key in left.keys() | right
    )


Same = Callable[[TypedValue, TypedValue], bool]
_RECORDS: Final = frozenset({"namedtuple", "dataclass", "enum", "exception"})


def _all_equal(left: list[TypedValue], right: list[TypedValue], same: Same) -> bool:
    return len(left) == len(right) and all(map(same, left, right))


def _same_record(a: TypedValue, b: TypedValue, same: Same) -> bool:
    left, right = a["v"], b["v"]
    if left["class"] != right["class"]:
        return False
    if a["t"] == "exception":
        return _all_equal(left["args"], right["args"], same)
    if [name for name, _ in left["fields"]] != [name for name, _ in right["fields"]]:
        return False
    return all(map(same, _values(left["fields"]), _values(right["fields"])))


def _values(pairs: list[Any]) -> Iterator[TypedValue]:
    return (item for _, item in pairs)


class _Approx:
    """Approximate equality with fixed tolerances."""

    def __init__(self, rtol: float, atol: float) -> None:
        self.rtol, self.atol = rtol, atol

    def equal(self, a: TypedValue, b: TypedValue) -> bool:
        """Compare two values; numbers within the tolerance, everything else exactly."""
        tag = a["t"]
        if tag in _NUMBERS:
            return b["t"] in _NUMBERS and self._close(a, b)
        if tag != b["t"]:
            return False
        if tag in ("list", "tuple", "deque"):
            return _all_equal(a["v"], b["v"], self.equal)
        if tag in _RECORDS:
            return _same_record(a, b, self.equal)
        if tag in ("set", "frozenset"):
            return typed_key(a) == typed_key(b) or self._sets(a["v"], b["v"])
        if tag == "OrderedDict":
            keys = [[typed_key(key) for key, _ in side["v"]] for side in (a, b)]
            return keys[0] == keys[1] and all(map(self.equal, _values(a["v"]), _values(b["v"])))
        if tag in _MAPPINGS:
            found = {typed_key(key): item for key, item in b["v"]}
            return len(a["v"]) == len(b["v"]) and all(
                key in found and self.equal(item, found[key])
                for key, item in [(typed_key(key), item) for key, item in a["v"]]
            )
        return typed_key(a) == typed_key(b)

    def _sets(self, left: list[TypedValue], right: list[TypedValue]) -> bool:
        """Compare sets whose numbers differ a little: in order of size, pair by pair."""
        rest = [
            bag([typed_key(v) for v in side if v["t"] not in _NUMBERS]) for side in (left, right)
        ]
        numbers = [
            sorted((v for v in side if v["t"] in _NUMBERS), key=_order) for side in (left, right)
        ]
        return rest[0] == rest[1] and _all_equal(numbers[0], numbers[1], self._close)

    def _close(self, a: TypedValue, b: TypedValue) -> bool:
        x, y = _number(a), _number(b)
        if x == y:
            return True
        if isinstance(x, complex) or isinstance(y, complex):
            x, y = complex(_as_float(x)), complex(_as_float(y))
            return self._near(x.real, y.real, abs(x)) and self._near(x.imag, y.imag, abs(x))
        return self._near(x, y, abs(x))

    def _near(self, x: float, y: float, scale: float) -> bool:
        """Compare two real numbers; integers of any size, exactly where floats cannot."""
        try:
            if isnan(x) or isnan(y):
                return isnan(x) and isnan(y)
            if not (isfinite(x) and isfinite(y)):
                return x == y
            if abs(x) < _EXACT and abs(y) < _EXACT:
                return abs(x - y) <= self.atol + self.rtol * scale
        except OverflowError:  # an integer beyond the floats
            if not (_finite(x) and _finite(y)):
                return False
        bound = Fraction(self.atol) + Fraction(self.rtol) * Fraction(scale)
        return abs(Fraction(x) - Fraction(y)) <= bound


_NUMBERS: Final = frozenset({"int", "float", "complex"})
_EXACT: Final = 2**53


def _finite(number: float) -> bool:
    return isinstance(number, int) or isfinite(number)


def _number(value: TypedValue) -> int | float | complex:
    tag, body = value["t"], value["v"]
    if tag == "int":
        return int_value(body)
    if tag == "float":
        return float.fromhex(body)
    return complex(float.fromhex(body[0]), float.fromhex(body[1]))


def _as_float(number: int | float | complex) -> float | complex:
    try:
        return number if isinstance(number, complex) else float(number)
    except OverflowError:
        return float("inf") if number > 0 else float("-inf")  # type: ignore[operator]


def _order(value: TypedValue) -> tuple[bool, Any, float]:
    """Order numbers by size, nans last."""
    number = _number(value)
    real, imaginary = (number.real, number.imag) if isinstance(number, complex) else (number, 0.0)
    if real != real or imaginary != imaginary:  # noqa: PLR0124
        return True, 0, 0.0
    return False, real, imaginary
