"""Hashable keys of typed values: equal keys are what "equal" means.

``typed_key`` is typed equality (same type, equal content). ``PythonKeys`` is what ``==`` says of
the builtin values, for set elements and dict keys; the equality of whole values under Python's
rules, where ``OrderedDict`` makes ``==`` intransitive, is a walk in ``equality``.

Keys are nested tuples and frozensets of *strings*. Python hashes integers to themselves, so keys
made of numbers chosen by an attacker could all fall into one bucket and make a set of them take
quadratic time; string hashes are seeded per process.
"""

import re
from collections import Counter
from collections.abc import Callable, Hashable, Iterable
from datetime import datetime, time
from decimal import Decimal
from typing import Any, Final

from executor_service.typed.form import MAX_DECIMAL_BITS, MAX_INT_DIGITS, TypedValue

Key = Hashable


def typed_key(value: TypedValue) -> Key:
    """Return a key that is equal for two values exactly when they are typed-equal."""
    tag = value["t"]
    make = _TYPED.get(tag)
    return (tag, value["v"]) if make is None else make(value)


def bag(keys: Iterable[Key]) -> frozenset[Key]:
    """Return the multiset of ``keys``.

    A set may hold "equal" elements: nans, and objects of a class that compares by identity.
    """
    listed = list(keys)
    plain = frozenset(listed)
    return plain if len(plain) == len(listed) else frozenset(Counter(listed).items())


def _sequence(value: TypedValue) -> Key:
    return (value["t"], tuple(map(typed_key, value["v"])))


def _set(value: TypedValue) -> Key:
    return (value["t"], bag(map(typed_key, value["v"])))


def _mapping(value: TypedValue) -> Key:
    return (value["t"], bag([(typed_key(key), typed_key(item)) for key, item in value["v"]]))


def _ordered(value: TypedValue) -> Key:
    return (value["t"], tuple([(typed_key(key), typed_key(item)) for key, item in value["v"]]))


def _positive_zero(text: str) -> str:
    return "0x0.0p+0" if text == "-0x0.0p+0" else text


def _float(value: TypedValue) -> Key:
    return ("float", _positive_zero(value["v"]))


def _complex(value: TypedValue) -> Key:
    return ("complex", _positive_zero(value["v"][0]), _positive_zero(value["v"][1]))


def _integers(value: TypedValue) -> Key:
    return (value["t"], tuple(map(str, value["v"])))


def _record(value: TypedValue) -> Key:
    body = value["v"]
    return (
        value["t"],
        body["class"],
        tuple([(name, typed_key(item)) for name, item in body["fields"]]),
    )


def _exception(value: TypedValue) -> Key:
    body = value["v"]
    return ("exception", body["class"], tuple(map(typed_key, body["args"])))


def _instance(value: TypedValue) -> Key:
    return (
        "instance",
        value["class"],
        tuple(map(typed_key, value["args"])),
        frozenset([(name, typed_key(item)) for name, item in value["kwargs"]]),
    )


_TYPED: Final[dict[str, Callable[[TypedValue], Key]]] = {
    "none": lambda value: ("none",),
    "ellipsis": lambda value: ("ellipsis",),
    "float": _float,
    "complex": _complex,
    "list": _sequence,
    "tuple": _sequence,
    "deque": _sequence,
    "set": _set,
    "frozenset": _set,
    "dict": _mapping,
    "Counter": _mapping,
    "defaultdict": _mapping,
    "OrderedDict": _ordered,
    "range": _integers,
    "timedelta": _integers,
    "Decimal": lambda value: ("Decimal", _decimal_number(value["v"]) or "nan"),
    "namedtuple": _record,
    "dataclass": _record,
    "enum": _record,
    "exception": _exception,
    "instance": _instance,
    "member": lambda value: ("member", value["class"], value["name"]),
}


def number_key(value: TypedValue) -> Key | None:
    """Return the key of a number under Python's ``==``, or None for what is no number.

    ``True``, ``1``, ``1.0``, ``Decimal(1)`` and ``Fraction(1)`` share a key: the exact value as
    digits and a power of ten. A nan gets a key of its own each time, as it equals nothing. An
    integer of more than 4,000 digits equals only integers: converting it would take long.
    """
    tag = value["t"]
    if tag == "int":
        return ("number", _scientific(value["v"]))
    if tag == "bool":
        return ("number", "1" if value["v"] else "0")
    if tag == "float":
        text = _float_number(value["v"])
    elif tag == "complex":
        text, imaginary = _float_number(value["v"][0]), _float_number(value["v"][1])
        if text is not None and imaginary != "0":
            return object() if imaginary is None else ("complex", text, imaginary)
    elif tag == "Decimal":
        text = _decimal_number(value["v"])
    elif tag == "Fraction":
        text = _fraction_number(value["v"])
    else:
        return None
    return object() if text is None else ("number", text)


_NUMBER: Final = re.compile(r"(-?)([0-9]+)(?:\.([0-9]+))?(?:E([+-][0-9]+))?").fullmatch


def _scientific(text: str) -> str:
    """Return the one spelling of a decimal number: ``1500``, ``1.5E+3`` and ``1500.0`` are 15E2."""
    if (text[-1] != "0" and text.isdigit()) or (match := _NUMBER(text)) is None:
        return text
    sign, whole, part, power = match.groups("")
    digits = (whole + part).lstrip("0")
    kept = digits.rstrip("0")
    if not kept:
        return "0"
    exponent = int(power or 0) - len(part) + len(digits) - len(kept)
    return f"{sign}{kept}E{exponent}" if exponent else sign + kept


def _float_number(text: str) -> str | None:
    if text[-1] in "nf":  # nan, inf, -inf
        return None if text == "nan" else text
    number = float.fromhex(text)
    return _scientific(str(int(number)) if number.is_integer() else format(Decimal(number), "f"))


def _decimal_number(text: str) -> str | None:
    if text[-1] == "y":
        return "-inf" if text[0] == "-" else "inf"
    return None if "N" in text else _scientific(text)


def _fraction_number(text: str) -> str:
    top, slash, bottom = text.partition("/")
    if not slash:
        return _scientific(text)
    if len(text) > MAX_INT_DIGITS:
        return text
    # A finite decimal exactly when the denominator is 2**twos * 5**fives.
    odd = int(bottom)
    twos = (odd & -odd).bit_length() - 1
    odd >>= twos
    fives = round((odd.bit_length() - 1) / 2.321928094887362)  # log2(5)
    if 5**fives != odd:
        return text
    places = max(twos, fives)
    digits = int(top) * 2 ** (places - twos) * 5 ** (places - fives)
    if digits.bit_length() > MAX_DECIMAL_BITS:
        return text
    return _scientific(f"{digits}E-{places}")


class PythonKeys:
    """Keys of hashable values under Python's ``==``.

    Remembers the keys of containers, so that frozensets within frozensets cost linear time. An
    instance may serve one value while that value lives.
    """

    __slots__ = ("_known",)

    def __init__(self) -> None:
        # The value is kept beside its key: an id may be used again once its object is gone.
        self._known: dict[int, tuple[TypedValue, Key]] = {}

    def key(self, value: TypedValue) -> Key:
        """Return the key of ``value``; containers that are unhashable in Python get one too."""
        tag = value["t"]
        if tag == "str":
            return ("str", value["v"])
        make = _PYTHON.get(tag)
        if make is None:
            return number_key(value) or typed_key(value)
        known = self._known.get(id(value))
        if known is None:
            known = self._known[id(value)] = (value, make(self, value))
        return known[1]

    def _sequence(self, value: TypedValue) -> Key:
        return (value["t"], tuple(map(self.key, value["v"])))

    def _set(self, value: TypedValue) -> Key:
        return ("set", bag(map(self.key, value["v"])))

    def _mapping(self, value: TypedValue) -> Key:
        return ("dict", bag([(self.key(key), self.key(item)) for key, item in value["v"]]))

    def _namedtuple(self, value: TypedValue) -> Key:
        return ("tuple", tuple([self.key(item) for _, item in value["v"]["fields"]]))

    def _record(self, value: TypedValue) -> Key:
        body = value["v"]
        fields = tuple([(name, self.key(item)) for name, item in body["fields"]])
        return (value["t"], body["class"], fields)

    def _exception(self, value: TypedValue) -> Key:
        body = value["v"]
        return ("exception", body["class"], tuple(map(self.key, body["args"])))

    def _instance(self, value: TypedValue) -> Key:
        named = frozenset([(name, self.key(item)) for name, item in value["kwargs"]])
        return ("instance", value["class"], tuple(map(self.key, value["args"])), named)


def _range(keys: PythonKeys, value: TypedValue) -> Key:
    numbers = range(*value["v"])
    size = (numbers.stop - numbers.start + numbers.step - (1 if numbers.step > 0 else -1)) // (
        numbers.step
    )
    if size <= 0:
        return ("range", "0")
    if size == 1:
        return ("range", "1", str(numbers.start))
    return ("range", str(size), str(numbers.start), str(numbers.step))


def _datetime(keys: PythonKeys, value: TypedValue) -> Key:
    moment = datetime.fromisoformat(value["v"])
    offset = moment.utcoffset()
    if offset is None:
        return ("datetime", value["v"])
    return ("datetime", "utc", repr(moment.replace(tzinfo=None) - datetime.min - offset))


def _time(keys: PythonKeys, value: TypedValue) -> Key:
    moment = time.fromisoformat(value["v"])
    offset = moment.utcoffset()
    if offset is None:
        return ("time", value["v"])
    naive = datetime.combine(datetime.min, moment.replace(tzinfo=None))
    return ("time", "utc", repr(naive - datetime.min - offset))


_PYTHON: Final[dict[str, Callable[[PythonKeys, Any], Key]]] = {
    "bytes": lambda keys, value: ("bytes", value["v"]),
    "bytearray": lambda keys, value: ("bytes", value["v"]),
    "list": PythonKeys._sequence,
    "tuple": PythonKeys._sequence,
    "deque": PythonKeys._sequence,
    "set": PythonKeys._set,
    "frozenset": PythonKeys._set,
    "dict": PythonKeys._mapping,
    "Counter": PythonKeys._mapping,
    "defaultdict": PythonKeys._mapping,
    "OrderedDict": PythonKeys._mapping,
    "namedtuple": PythonKeys._namedtuple,
    "dataclass": PythonKeys._record,
    "enum": PythonKeys._record,
    "exception": PythonKeys._exception,
    "instance": PythonKeys._instance,
    "range": _range,
    "datetime": _datetime,
    "time": _time,
}
