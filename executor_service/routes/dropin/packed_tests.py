"""Reading tests that open-instruct has packed: base64, zlib, and a pickle of plain data.

A pickle is a program for a small machine, and Python's own machine would call whatever it names.
This one knows lists, tuples, dictionaries, texts, numbers, booleans and None, and how they are put
together; anything else in the text is refused before it means anything.
"""

import binascii
import json
import pickletools
import zlib
from base64 import b64decode
from collections.abc import Callable
from typing import Any, Final

from executor_service.errors import RequestError

_MARK: Final = object()
_NEW: Final[dict[str, Callable[[], Any]]] = {
    "NONE": lambda: None,
    "NEWTRUE": lambda: True,
    "NEWFALSE": lambda: False,
    "MARK": lambda: _MARK,
    "EMPTY_LIST": list,
    "EMPTY_DICT": dict,
    "EMPTY_TUPLE": tuple,
}
_LITERALS: Final = frozenset(
    {
        "SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8", "BININT", "BININT1", "BININT2", "LONG1",
        "LONG4", "BINFLOAT",
    }
)  # fmt: skip
_MOST_STEPS: Final = 1_000_000


def unpacked(text: str, most_bytes: int) -> Any:
    """Return the data in a text: JSON, or what open-instruct's ``encode_tests`` makes.

    Raises:
        RequestError: It is neither, holds more than plain data, or more than ``most_bytes``.
    """
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        pass
    try:
        inflate = zlib.decompressobj()
        data = inflate.decompress(b64decode(text, validate=True), most_bytes)
    except (binascii.Error, ValueError, zlib.error):
        raise RequestError("neither JSON nor packed tests", field="tests") from None
    if not inflate.eof:
        raise RequestError(f"cut short, or more than {most_bytes} bytes unpacked", field="tests")
    try:
        return plain_pickle(data)
    except (ValueError, IndexError, KeyError, TypeError, UnicodeError) as error:
        raise RequestError(f"no plain data in the pickle: {error}", field="tests") from None


def plain_pickle(data: bytes) -> Any:
    """Return the plain data in a pickle.

    Raises:
        ValueError: There is more than plain data in it, or it is damaged; or IndexError, KeyError
            or TypeError, where its steps make no sense.
    """
    stack: list[Any] = []
    memo: list[Any] = []
    for step, (code, argument, _) in enumerate(pickletools.genops(data)):
        name = code.name
        if step > _MOST_STEPS:
            raise ValueError("more steps than tests can need")
        if name == "STOP":
            return stack.pop()
        if name in ("MEMOIZE", "BINPUT", "LONG_BINPUT"):
            if argument not in (None, len(memo)):
                raise ValueError("an unusual memo")
            memo.append(stack[-1])
        elif name in ("BINGET", "LONG_BINGET"):
            stack.append(memo[int(argument or 0)])
        elif name in _LITERALS:
            stack.append(argument)
        elif name not in ("PROTO", "FRAME"):
            _build(name, stack)
    raise ValueError("it has no end")


def _build(name: str, stack: list[Any]) -> None:
    """Do one of the steps that put values together."""
    if name in _NEW:
        stack.append(_NEW[name]())
    elif name in ("TUPLE1", "TUPLE2", "TUPLE3"):
        count = int(name[-1])
        stack[-count:] = [tuple(stack[-count:])]
    elif name == "TUPLE":
        stack.append(tuple(_since_mark(stack)))
    elif name == "APPEND":
        item = stack.pop()
        _list(stack).append(item)
    elif name == "APPENDS":
        items = _since_mark(stack)
        _list(stack).extend(items)
    elif name in ("SETITEM", "SETITEMS"):
        items = [stack.pop(-2), stack.pop()] if name == "SETITEM" else _since_mark(stack)
        if type(stack[-1]) is not dict:
            raise ValueError("items for no dictionary")
        stack[-1].update(zip(items[::2], items[1::2], strict=True))
    else:
        raise ValueError(f"{name} is not for plain data")


def _list(stack: list[Any]) -> list[Any]:
    if type(stack[-1]) is not list:
        raise ValueError("items for no list")
    return stack[-1]


def _since_mark(stack: list[Any]) -> list[Any]:
    """Take everything above the last mark, and the mark."""
    for place in range(len(stack) - 1, -1, -1):
        if stack[place] is _MARK:
            items = stack[place + 1 :]
            del stack[place:]
            return items
    raise ValueError("a mark is missing")
