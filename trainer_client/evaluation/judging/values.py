"""Typed values of the contract, compared as Python's ``==`` and numpy's ``allclose`` would.

Values are read from JSON; nothing that a program wrote is ever evaluated here. Sets and dicts
compare by keys made of text, whose hashes nobody outside can foresee: no answer can make a
comparison slow by values that collide.
"""

import math
from collections.abc import Hashable
from fractions import Fraction
from typing import Any, Final

import numpy as np

Typed = dict[str, Any]
"""``{"t": type, "v": content}``."""

RTOL: Final = 1e-7
"""numpy's relative tolerance in `assert_allclose`, which EvalPlus goes by."""
_NUMBERS: Final = frozenset({"bool", "int", "float", "complex"})
_SEQUENCES: Final = {"list": "list", "tuple": "tuple", "namedtuple": "tuple", "deque": "deque"}
_SETS: Final = frozenset({"set", "frozenset"})
_MAPPINGS: Final = frozenset({"dict", "OrderedDict", "Counter", "defaultdict"})


def equal(a: Typed, b: Typed) -> bool:
    """Say what ``==`` says of two values; objects of a program's own classes go by content."""
    tag, other = a["t"], b["t"]
    if tag in _NUMBERS:
        return other in _NUMBERS and number(a) == number(b)
    if tag in _SEQUENCES:
        if _SEQUENCES[tag] != _SEQUENCES.get(other):
            return False
        left, right = items(a), items(b)
        return len(left) == len(right) and all(map(equal, left, right))
    if tag in _SETS:
        return other in _SETS and _key_set(a) == _key_set(b)
    if tag in _MAPPINGS:
        return other in _MAPPINGS and _mappings(a, b)
    return tag == other and a.get("v") == b.get("v")


def close(a: Typed, b: Typed, atol: float) -> bool:
    """Say whether numbers, or arrays of numbers, are within numpy's tolerance, and of one type.

    Args:
        a: what came.
        b: what was expected: the relative tolerance refers to it.
        atol: absolute tolerance.
    """
    if a["t"] != b["t"] or (a["t"] in _SEQUENCES and len(items(a)) != len(items(b))):
        return False
    try:
        return bool(np.allclose(_array(a), _array(b), rtol=RTOL, atol=atol))
    except (TypeError, ValueError, OverflowError):
        return False  # ragged, too large, or no numbers at all


def is_floats(value: Typed) -> bool:
    """Tell whether a value is a float, or a list or tuple of nothing else."""
    if value["t"] in ("list", "tuple"):
        return bool(value["v"]) and all(item["t"] == "float" for item in value["v"])
    return bool(value["t"] == "float")


def number(value: Typed) -> int | float | complex:
    """Return a number as Python's own.

    Raises:
        TypeError: it is none.
    """
    tag, content = value["t"], value.get("v")
    if tag == "bool":
        return bool(content)
    if tag == "int":
        text = str(content)
        return int(text, 16) if "0x" in text[:3] else int(text)
    if tag == "float":
        return float.fromhex(str(content))
    if tag == "complex":
        assert isinstance(content, list)
        return complex(float.fromhex(content[0]), float.fromhex(content[1]))
    raise TypeError(f"{tag} is no number")


def items(value: Typed) -> list[Typed]:
    """Return the elements of a sequence or a set, the keys of a dict, the characters of a string.

    Raises:
        TypeError: it has no elements.
    """
    tag, content = value["t"], value.get("v")
    if tag == "namedtuple":
        assert isinstance(content, dict)
        return [item for _, item in content["fields"]]
    if tag in _SEQUENCES or tag in _SETS:
        assert isinstance(content, list)
        return content
    if tag in _MAPPINGS:
        assert isinstance(content, list)
        return [key for key, _ in content]
    if tag == "str":
        return [{"t": "str", "v": character} for character in str(content)]
    raise TypeError(f"{tag} has no elements")


def as_set(value: Typed) -> frozenset[Hashable]:
    """Return keys of the elements, equal where the elements are: ``set(value)``.

    Raises:
        TypeError: it has no elements, or one that cannot be in a set.
    """
    return frozenset(map(_key, items(value)))


def _key_set(value: Typed) -> frozenset[Hashable]:
    return frozenset(map(_key, value["v"]))


def _mappings(a: Typed, b: Typed) -> bool:
    left = {_key(key): item for key, item in a["v"]}
    right = {_key(key): item for key, item in b["v"]}
    if a["t"] == b["t"] == "OrderedDict" and list(left) != list(right):
        return False
    if left.keys() != right.keys():
        return False
    return all(equal(item, right[key]) for key, item in left.items())


def _key(value: Typed) -> Hashable:
    """Return what stands for a hashable value: equal keys for equal values.

    Raises:
        TypeError: it is not hashable.
    """
    tag, content = value["t"], value.get("v")
    if tag in _NUMBERS:
        return _number_key(number(value))
    if tag in ("tuple", "namedtuple"):
        return ("tuple", *map(_key, items(value)))
    if tag == "frozenset":
        return ("set", _key_set(value))
    if tag in _SETS or tag in _SEQUENCES or tag in _MAPPINGS or tag == "bytearray":
        raise TypeError(f"a {tag} is not hashable")
    return (tag, content if isinstance(content, str) else repr(content))


def _number_key(found: int | float | complex) -> Hashable:
    if isinstance(found, complex):
        if found.imag == 0:
            return _number_key(found.real)
        return ("complex", _number_key(found.real), _number_key(found.imag))
    if isinstance(found, float) and not math.isfinite(found):
        return object() if math.isnan(found) else str(found)  # a nan equals nothing
    exact = Fraction(found)
    # Hexadecimal: decimal text of a long integer is slow, and Python limits it.
    return f"{exact.numerator:x}/{exact.denominator:x}"


def _array(value: Typed) -> Any:
    """Return a number, or lists of numbers as numpy takes them.

    Raises:
        TypeError: something else is in it.
    """
    if value["t"] in _NUMBERS:
        return number(value)
    if value["t"] in ("list", "tuple", "namedtuple"):
        return [_array(item) for item in items(value)]
    raise TypeError(f"{value['t']} is no array")
