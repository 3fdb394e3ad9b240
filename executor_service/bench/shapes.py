"""The types that JSON lost: a benchmark's inputs, turned back with the call its prompt shows.

A prompt of MBPP+ holds one example, ``assert similar_elements((3, 4), (5, 4)) == ...``. Its
arguments are read with the literal parser, never evaluated, and every recorded input is given the
same containers: a list stays a list, or becomes a tuple or a set, where the example has one.
"""

import math
import re
from typing import Any, Final

from executor_service.errors import LiteralError
from executor_service.typed.form import TypedValue
from executor_service.typed.literals import parse_arguments, parse_literal

Shape = tuple[TypedValue, ...]
_NUMBERS: Final = ("int", "float", "complex")


def shape_of_call(text: str, name: str) -> Shape | None:
    """Return the arguments of the first call of ``name`` in ``text`` that are all literals."""
    for call in re.finditer(rf"\b{re.escape(name)}\s*\(", text):
        end = text.find(")", call.end())
        while end >= 0:
            try:
                # The shortest text that parses is the argument list: brackets must balance.
                return parse_arguments(text[call.end() : end]).args
            except LiteralError:
                end = text.find(")", end + 1)
    return None


def argument_list(shape: Shape | None, arguments: list[Any]) -> str:
    """Return Python source for JSON ``arguments`` with the containers of ``shape``."""
    shapes: tuple[TypedValue | None, ...] = shape or ()
    if len(shapes) != len(arguments):
        shapes = (None,) * len(arguments)
    return ", ".join(
        _number(part, argument) or _source(part, argument)
        for part, argument in zip(shapes, arguments, strict=True)
    )


def _number(shape: TypedValue | None, value: Any) -> str | None:
    """Return the number that a text stands for where the example has a number, else None.

    JSON has no complex numbers: MBPP+ writes such arguments as texts.
    """
    if shape is None or shape["t"] not in _NUMBERS or not isinstance(value, str):
        return None
    try:
        return value if parse_literal(value)["t"] in _NUMBERS else None
    except LiteralError:
        return None


def _source(shape: TypedValue | None, value: Any) -> str:
    tag = None if shape is None else shape["t"]
    if isinstance(value, list):
        inner = [] if shape is None or not isinstance(shape.get("v"), list) else shape["v"]
        if tag == "dict":
            inner = []
        parts = [
            _source(inner[min(index, len(inner) - 1)] if inner else None, item)
            for index, item in enumerate(value)
        ]
        text = ", ".join(parts)
        if tag == "tuple":
            return f"({text},)" if len(parts) == 1 else f"({text})"
        if tag in ("set", "frozenset"):
            return f"{{{text}}}" if parts else f"{tag}()"
        return f"[{text}]"
    if isinstance(value, dict):
        pairs = shape["v"] if shape is not None and tag == "dict" and shape["v"] else []
        of_value = pairs[0][1] if pairs else None
        return "{" + ", ".join(f"{key!r}: {_source(of_value, v)}" for key, v in value.items()) + "}"
    if isinstance(value, float) and not math.isfinite(value):
        return f"float('{value}')"
    return repr(value)
