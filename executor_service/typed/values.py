"""Typed values from outside: the plain-data form of a Python value, checked completely.

A typed value is its JSON form (API.md, "Typed values"): ``{"t": TYPE, "v": ...}``. What a sandbox
sends is a claim of a program nobody trusts, so it is checked completely before anything reads it.

Covered: shape, known types, canonical text of every scalar (two equal values have one text),
hashable set elements and keys, duplicates, depth and node count; no recursion beyond the depth
bound, no decimal conversion of a long integer.
Not covered: whether the value is what the program really returned (a program may always return
something else), and duplicates among instances of the program's own classes, whose ``__eq__`` is
not known here.
"""

import base64
import binascii
import re
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from math import gcd
from typing import Any, Final

from executor_service.typed.form import (
    FIRST_HEX,
    MAX_DECIMAL_BITS,
    MAX_DEPTH,
    MAX_INT_DIGITS,
    MAX_NODES,
    TypedValue,
)
from executor_service.typed.keys import PythonKeys

__all__ = ["MAX_DEPTH", "MAX_INT_DIGITS", "MAX_NODES", "TypedValue", "check_value"]

Untrusted = Any
"""What ``json.loads`` made of untrusted text: any of JSON's types, anywhere."""

_INT: Final = re.compile(rf"0|-?[1-9][0-9]{{0,{MAX_INT_DIGITS - 1}}}").fullmatch
_LONG_INT: Final = re.compile(r"0|-?[1-9][0-9]*").fullmatch
_HEX_INT: Final = re.compile(r"-?0x(?:[89a-f][0-9a-f]{3321}|[1-9a-f][0-9a-f]{3322,})").fullmatch
_UNHASHABLE: Final = frozenset(
    {"list", "dict", "set", "bytearray", "deque", "OrderedDict", "Counter", "defaultdict"}
)


class _Check:
    """One walk over one value: counts nodes and remembers the keys it computed."""

    __slots__ = ("keys", "nodes")

    def __init__(self, max_nodes: int) -> None:
        self.nodes = max_nodes
        self.keys = PythonKeys()

    def value(self, node: Untrusted, depth: int, hashable: bool) -> None:
        """Check ``node``; ``depth`` is how many more containers may nest, itself included."""
        if type(node) is not dict or type(tag := node.get("t")) is not str:
            raise ValueError('a typed value is an object {"t": TYPE, "v": ...}')
        self.nodes -= 1
        if self.nodes < 0:
            raise ValueError("the value has too many parts")
        if hashable and tag in _UNHASHABLE:
            raise ValueError(f"a {tag} is not hashable")
        scalar = _SCALARS.get(tag)
        if scalar is not None:
            scalar(_content(node))
            return
        if tag in _BARE:
            if len(node) != 1:
                raise ValueError(f"{tag} has no content")
            return
        container = _CONTAINERS.get(tag)
        if container is None:
            raise ValueError(f"unknown type {_show(tag)}")
        content = _content(node)
        if depth <= 0:
            raise ValueError("the value is nested too deeply")
        container(self, content, depth - 1, hashable)

    def sequence(self, content: Untrusted, depth: int, hashable: bool) -> None:
        """Check the elements of a list, tuple or deque."""
        for item in _list(content):
            self.value(item, depth, hashable)

    def distinct(self, content: Untrusted, depth: int, hashable: bool) -> None:
        """Check the elements of a set or frozenset."""
        items = _list(content)
        for item in items:
            self.value(item, depth, True)
        self._refuse_duplicates(items, "set element")

    def mapping(self, content: Untrusted, depth: int, hashable: bool) -> None:
        """Check the pairs of a dict or one of its relatives."""
        pairs = _list(content)
        for pair in pairs:
            if type(pair) is not list or len(pair) != 2:
                raise ValueError("a dict holds [key, value] pairs")
            self.value(pair[0], depth, True)
            self.value(pair[1], depth, False)
        self._refuse_duplicates([pair[0] for pair in pairs], "key")

    def record(
        self, content: Untrusted, depth: int, hashable: bool, *, bound_hash: bool = False
    ) -> None:
        """Check class name and fields; only a namedtuple's hash is bound to its fields'."""
        fields = _list(_class_part(content, "fields"))
        names = set()
        for field in fields:
            if type(field) is not list or len(field) != 2 or type(field[0]) is not str:
                raise ValueError("a field is a [name, value] pair")
            names.add(field[0])
            self.value(field[1], depth, hashable and bound_hash)
        if len(names) != len(fields):
            raise ValueError("a field is named twice")

    def named_tuple(self, content: Untrusted, depth: int, hashable: bool) -> None:
        """Check a namedtuple, whose fields are hashed with it."""
        self.record(content, depth, hashable, bound_hash=True)

    def enum(self, content: Untrusted, depth: int, hashable: bool) -> None:
        """Check an enum member: one field, its name and its value."""
        self.record(content, depth, hashable)
        if len(content["fields"]) != 1:
            raise ValueError("an enum member has one field")

    def exception(self, content: Untrusted, depth: int, hashable: bool) -> None:
        """Check an exception: class name and arguments."""
        self.sequence(_class_part(content, "args"), depth, False)

    def _refuse_duplicates(self, items: list[Any], what: str) -> None:
        if len(items) < 2:
            return
        if all(item["t"] == "str" for item in items):
            if len({item["v"] for item in items}) != len(items):
                raise ValueError(f"a {what} occurs twice")
            return
        seen = set()
        for item in items:
            key = self.keys.key(item)
            if key in seen and not _has_own_class(item):
                raise ValueError(f"a {what} occurs twice")
            seen.add(key)


def check_value(
    obj: object, *, max_depth: int = MAX_DEPTH, max_nodes: int = MAX_NODES
) -> TypedValue:
    """Return ``obj``, a ``json.loads``-ed object, if it is a typed value; it is not copied.

    Args:
        obj: what an untrusted process sent.
        max_depth: how many containers may nest.
        max_nodes: how many values, containers included, there may be in all.

    Raises:
        ValueError: it is not one; the message says what is wrong.
    """
    if not isinstance(obj, dict):
        raise ValueError('a typed value is an object {"t": TYPE, "v": ...}')
    _Check(max_nodes).value(obj, max_depth, False)
    return obj


def _show(text: str) -> str:
    return repr(text[:40])


def _content(node: dict[str, Any]) -> Untrusted:
    if len(node) != 2 or "v" not in node:
        raise ValueError(f'{_show(node["t"])} needs exactly "t" and "v"')
    return node["v"]


def _list(content: Untrusted) -> list[Any]:
    if type(content) is not list:
        raise ValueError("a container's content is an array")
    return content


def _class_part(content: Untrusted, part: str) -> Untrusted:
    if type(content) is not dict or len(content) != 2 or part not in content:
        raise ValueError(f'the content is {{"class": name, "{part}": [...]}}')
    if type(content.get("class")) is not str:
        raise ValueError("a class name is text")
    return content[part]


def _has_own_class(value: TypedValue) -> bool:
    """Whether equality inside ``value`` may be a class's own: then a "duplicate" proves nothing."""
    if value["t"] in ("dataclass", "enum", "exception", "namedtuple"):
        return True
    return value["t"] in ("tuple", "frozenset") and any(map(_has_own_class, value["v"]))


def _text(content: Untrusted) -> str:
    if type(content) is not str:
        raise ValueError("the content must be text")
    return content


def _bool(content: Untrusted) -> None:
    if type(content) is not bool:
        raise ValueError("a bool is true or false")


def _int(content: Untrusted) -> None:
    text = _text(content)
    if _INT(text):
        if len(text) < MAX_INT_DIGITS:
            return
        digits = text.lstrip("-")
        if len(digits) < MAX_INT_DIGITS or digits < FIRST_HEX:
            return
    elif _HEX_INT(text):
        return
    raise ValueError(f"{_show(text)} is not an integer's text")


def _float(content: Untrusted) -> None:
    text = _text(content)
    try:
        if len(text) < 32 and float.fromhex(text).hex() == text:
            return
    except (ValueError, OverflowError):
        pass
    raise ValueError(f"{_show(text)} is not a float's hexadecimal text")


def _complex(content: Untrusted) -> None:
    if type(content) is not list or len(content) != 2:
        raise ValueError("a complex is [real, imaginary]")
    _float(content[0])
    _float(content[1])


def _bytes(content: Untrusted) -> None:
    try:
        raw = binascii.a2b_base64(_text(content), strict_mode=True)
    except ValueError as error:
        raise ValueError(f"bytes are base64: {error}") from None
    if base64.b64encode(raw) != content.encode("ascii"):
        raise ValueError("bytes are canonical base64")


def _range(content: Untrusted) -> None:
    if type(content) is not list or len(content) != 3 or any(type(n) is not int for n in content):
        raise ValueError("a range is [start, stop, step], three integers")
    if content[2] == 0:
        raise ValueError("a range's step is not 0")
    if any(n.bit_length() > MAX_DECIMAL_BITS for n in content):
        raise ValueError("a range's bounds are too large")


def _decimal(content: Untrusted) -> None:
    text = _text(content)
    try:
        if str(Decimal(text)) == text:
            return
    except InvalidOperation:
        pass
    raise ValueError(f"{_show(text)} is not a Decimal's text")


def _fraction(content: Untrusted) -> None:
    text = _text(content)
    top, slash, bottom = text.partition("/")
    if _LONG_INT(top) and not slash:
        return
    if _LONG_INT(top) and _LONG_INT(bottom) and bottom != "1" and bottom[0] not in "-0":
        # Beyond that length the check would take long; the worst it misses is an unequal value.
        if len(text) <= MAX_INT_DIGITS and gcd(int(top), int(bottom)) != 1:
            raise ValueError("a Fraction is in lowest terms")
        return
    raise ValueError(f"{_show(text)} is not a Fraction's text")


def _moment(kind: type[date] | type[time]) -> Callable[[Untrusted], None]:
    def check(content: Untrusted) -> None:
        text = _text(content)
        try:
            if len(text) <= 64 and kind.fromisoformat(text).isoformat() == text:
                return
        except (ValueError, OverflowError):
            pass
        raise ValueError(f"{_show(text)} is not an ISO {kind.__name__}")

    return check


def _timedelta(content: Untrusted) -> None:
    if type(content) is not list or len(content) != 3 or any(type(n) is not int for n in content):
        raise ValueError("a timedelta is [days, seconds, microseconds], three integers")
    days, seconds, micros = content
    limit = timedelta.max.days
    if not (-limit <= days <= limit and 0 <= seconds < 86_400 and 0 <= micros < 1_000_000):
        raise ValueError("a timedelta's parts are out of range")


_BARE: Final = frozenset({"none", "ellipsis"})
_SCALARS: Final[dict[str, Callable[[Untrusted], object]]] = {
    "bool": _bool,
    "int": _int,
    "float": _float,
    "complex": _complex,
    "str": _text,
    "bytes": _bytes,
    "bytearray": _bytes,
    "range": _range,
    "Decimal": _decimal,
    "Fraction": _fraction,
    "date": _moment(date),
    "datetime": _moment(datetime),
    "time": _moment(time),
    "timedelta": _timedelta,
}
_CONTAINERS: Final[dict[str, Callable[[_Check, Untrusted, int, bool], None]]] = {
    "list": _Check.sequence,
    "tuple": _Check.sequence,
    "deque": _Check.sequence,
    "set": _Check.distinct,
    "frozenset": _Check.distinct,
    "dict": _Check.mapping,
    "OrderedDict": _Check.mapping,
    "Counter": _Check.mapping,
    "defaultdict": _Check.mapping,
    "namedtuple": _Check.named_tuple,
    "dataclass": _Check.record,
    "enum": _Check.enum,
    "exception": _Check.exception,
}
