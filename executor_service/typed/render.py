"""Typed values as people read them: Python's repr text, made from the typed form alone.

Nothing of the program's own ``__repr__`` is asked. Sets come out in one order (numbers by size,
then the rest by text), so that equal values look equal. Where a limit is given, work and text are
bounded by it; a set with more elements than could be shown is then not ordered before it is cut.
"""

import base64
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from typing import Any, Final

from executor_service.typed.form import TypedValue, int_value

Pieces = list[str]


class _FullError(Exception):
    """More text than the limit allows."""


class _Writer:
    """Collects text up to ``limit`` characters."""

    def __init__(self, limit: float) -> None:
        self.left = limit
        self.pieces: Pieces = []

    def text(self, piece: str) -> None:
        """Add ``piece``."""
        self.pieces.append(piece)
        self.left -= len(piece)
        if self.left < 0:
            raise _FullError

    def value(self, value: TypedValue) -> None:
        """Add the text of ``value``."""
        tag = value["t"]
        scalar = _SCALARS.get(tag)
        if scalar is not None:
            self.text(scalar(value.get("v")))
        elif tag in _QUOTED:
            self._quoted(tag, value["v"])
        else:
            _COMPOUND[tag](self, value)

    def items(self, opening: str, items: list[TypedValue], closing: str) -> None:
        """Add values between brackets."""
        self.text(opening)
        for index, item in enumerate(items):
            if index:
                self.text(", ")
            self.value(item)
        self.text(closing)

    def pairs(self, opening: str, pairs: list[Any], closing: str) -> None:
        """Add ``key: value`` pairs between brackets."""
        self.text(opening)
        for index, (key, item) in enumerate(pairs):
            if index:
                self.text(", ")
            self.value(key)
            self.text(": ")
            self.value(item)
        self.text(closing)

    def named(self, opening: str, args: list[TypedValue], named: list[Any]) -> None:
        """Add a call's arguments and its closing bracket."""
        self.items(opening, args, "")
        for index, (name, item) in enumerate(named):
            self.text(f", {name}=" if index or args else f"{name}=")
            self.value(item)
        self.text(")")

    def elements(self, opening: str, items: list[TypedValue], closing: str) -> None:
        """Add the elements of a set in order."""
        if len(items) > self.left:
            self.items(opening, items, closing)
            return
        shown: list[tuple[Any, str]] = []
        room = self.left
        for item in items:
            writer = _Writer(room)
            try:
                writer.value(item)
            except _FullError:
                self.text(opening + ", ".join([text for _, text in shown] + writer.pieces))
                raise
            room = writer.left
            text = "".join(writer.pieces)
            shown.append((_rank(item, text), text))
        self.text(opening)
        self.text(", ".join([text for _, text in sorted(shown)]))
        self.text(closing)

    def _quoted(self, tag: str, content: str) -> None:
        # Cut before quoting: a quoted text is never shorter than the text.
        if tag == "str":
            cut = content if len(content) <= self.left else content[: int(self.left) + 1]
            self.text(repr(cut))
            return
        enough = content if len(content) <= 2 * self.left + 8 else content[: int(self.left) * 2 + 8]
        raw = repr(base64.b64decode(enough[: len(enough) // 4 * 4]))
        self.text(raw if tag == "bytes" else f"bytearray({raw})")


def render(value: TypedValue, *, limit: int | None = None) -> str:
    """Return the repr text of ``value``.

    Args:
        value: a checked or parsed typed value.
        limit: characters to show at most; a longer text ends in ``… (more than N characters)``.
    """
    writer = _Writer(float("inf") if limit is None else limit)
    try:
        writer.value(value)
    except _FullError:
        return f"{''.join(writer.pieces)[:limit]}… (more than {limit} characters)"
    return "".join(writer.pieces)


def _rank(item: TypedValue, text: str) -> tuple[int, Any, str]:
    tag = item["t"]
    if tag == "int":
        return 0, int_value(item["v"]), text
    if tag == "bool":
        return 0, int(item["v"]), text
    if tag == "float" and item["v"] != "nan":
        return 0, float.fromhex(item["v"]), text
    return 1, tag, text


def _fraction(text: str) -> str:
    top, _, bottom = text.partition("/")
    return f"Fraction({top}, {bottom or 1})"


def _range(bounds: list[int]) -> str:
    start, stop, step = bounds
    return f"range({start}, {stop})" if step == 1 else f"range({start}, {stop}, {step})"


def _tuple(writer: _Writer, value: TypedValue) -> None:
    writer.items("(", value["v"], ",)" if len(value["v"]) == 1 else ")")


def _set(writer: _Writer, value: TypedValue) -> None:
    if value["v"]:
        writer.elements("{", value["v"], "}")
    else:
        writer.text("set()")


def _frozenset(writer: _Writer, value: TypedValue) -> None:
    if value["v"]:
        writer.elements("frozenset({", value["v"], "})")
    else:
        writer.text("frozenset()")


def _wrapped(writer: _Writer, value: TypedValue) -> None:
    tag, pairs = value["t"], value["v"]
    if tag == "defaultdict":
        writer.pairs("defaultdict(None, {", pairs, "})")
    elif pairs:
        if tag == "Counter" and all(count["t"] == "int" for _, count in pairs):
            pairs = sorted(pairs, key=lambda pair: -int_value(pair[1]["v"]))
        writer.pairs(f"{tag}({{", pairs, "})")
    else:
        writer.text(f"{tag}()")


def _record(writer: _Writer, value: TypedValue) -> None:
    writer.named(f"{value['v']['class']}(", [], value["v"]["fields"])


def _enum(writer: _Writer, value: TypedValue) -> None:
    name, item = value["v"]["fields"][0]
    writer.text(f"<{value['v']['class']}.{name}: ")
    writer.value(item)
    writer.text(">")


_QUOTED: Final = frozenset({"str", "bytes", "bytearray"})
_SCALARS: Final[dict[str, Callable[[Any], str]]] = {
    "none": lambda body: "None",
    "ellipsis": lambda body: "Ellipsis",
    "bool": repr,
    "int": str,
    "float": lambda body: repr(float.fromhex(body)),
    "complex": lambda body: repr(complex(float.fromhex(body[0]), float.fromhex(body[1]))),
    "range": _range,
    "Decimal": lambda body: f"Decimal('{body}')",
    "Fraction": _fraction,
    "date": lambda body: repr(date.fromisoformat(body)),
    "datetime": lambda body: repr(datetime.fromisoformat(body)),
    "time": lambda body: repr(time.fromisoformat(body)),
    "timedelta": lambda body: repr(timedelta(*body)),
}
_COMPOUND: Final[dict[str, Callable[[_Writer, TypedValue], None]]] = {
    "list": lambda writer, value: writer.items("[", value["v"], "]"),
    "deque": lambda writer, value: writer.items("deque([", value["v"], "])"),
    "tuple": _tuple,
    "set": _set,
    "frozenset": _frozenset,
    "dict": lambda writer, value: writer.pairs("{", value["v"], "}"),
    "OrderedDict": _wrapped,
    "Counter": _wrapped,
    "defaultdict": _wrapped,
    "namedtuple": _record,
    "dataclass": _record,
    "enum": _enum,
    "exception": lambda writer, value: writer.items(
        f"{value['v']['class']}(", value["v"]["args"], ")"
    ),
    "instance": lambda writer, value: writer.named(
        f"{value['class']}(", value["args"], value["kwargs"]
    ),
    "member": lambda writer, value: writer.text(f"{value['class']}.{value['name']}"),
}
