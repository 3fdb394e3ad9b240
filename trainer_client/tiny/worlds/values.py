"""The typed world's values: their kinds, their literals, and how inputs are drawn."""

from collections.abc import Sequence
from enum import StrEnum
from random import Random

Value = bool | int | str | list[int] | list[str] | tuple[int, ...] | dict[str, int]
"""What the programs compute with."""

LETTERS = "abcdef"
"""The alphabet of drawn texts and of the operations' constants."""

MAX_NUMBER, MAX_TEXT, MAX_ITEMS = 999, 12, 8
"""Bounds of every value of a program's run: digits, letters and items that a small model reads."""


class Kind(StrEnum):
    """The type of a value, as far as operations care."""

    BOOL = "bool"
    INT = "int"
    STR = "str"
    INTS = "list of int"
    STRS = "list of str"
    TUPLE = "tuple of int"
    DICT = "dict of str to int"


def draw_value(rng: Random, kind: Kind) -> Value:
    """Draw an input."""
    size = rng.randint(2, 4)
    match kind:
        case Kind.BOOL:
            return rng.random() < 0.5
        case Kind.INT:
            return rng.randint(-9, 60)
        case Kind.STR:
            return _text(rng, 2, 5)
        case Kind.INTS:
            return _numbers(rng, size)
        case Kind.STRS:
            return [_text(rng, 1, 3) for _ in range(size)]
        case Kind.TUPLE:
            return tuple(_numbers(rng, size))
        case Kind.DICT:
            return dict(zip(rng.sample(LETTERS, size), _numbers(rng, size), strict=True))


def literal(value: Value) -> str:
    """Return the Python literal of a value, letter for letter what `repr` writes.

    Raises:
        ValueError: a text holds more than letters, digits and hyphens, so that no quote or
            backslash can slip in; or the value is of no kind of this world.
    """
    if isinstance(value, bool):
        return "True" if value else "False"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        if not all(character == "-" or _plain(character) for character in value):
            raise ValueError(f"not a text of this world: {value!r}")
        return f"'{value}'"
    if isinstance(value, list):
        return f"[{_listed(value)}]"
    if isinstance(value, tuple):
        return f"({_listed(value)}{',' if len(value) == 1 else ''})"
    if isinstance(value, dict):
        pairs = (f"{literal(key)}: {literal(item)}" for key, item in value.items())
        return f"{{{', '.join(pairs)}}}"
    raise ValueError(f"not a value of this world: {value!r}")


def is_small(value: Value) -> bool:
    """Whether a value keeps the bounds."""
    if isinstance(value, int):
        return abs(value) <= MAX_NUMBER
    if isinstance(value, str):
        return len(value) <= MAX_TEXT
    items: Sequence[int | str] = (
        [*value, *value.values()] if isinstance(value, dict) else list(value)
    )
    return len(value) <= MAX_ITEMS and all(map(is_small, items))


def _text(rng: Random, least: int, most: int) -> str:
    return "".join(rng.choices(LETTERS, k=rng.randint(least, most)))


def _numbers(rng: Random, size: int) -> list[int]:
    return [rng.randint(-5, 20) for _ in range(size)]


def _listed(items: Sequence[int | str]) -> str:
    return ", ".join(map(literal, items))


def _plain(character: str) -> bool:
    return character.isascii() and character.isalnum()
