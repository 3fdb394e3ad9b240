"""Tokens of literal text, and the values of its numbers and strings.

One compiled pattern, possessive throughout: every token takes time linear in its length, whatever
the text. Strings are decoded by table-driven codecs, never by evaluation.
"""

import base64
import codecs
import re
import unicodedata
from typing import Final

from executor_service.typed.form import (
    FIRST_HEX,
    MAX_INT_DIGITS,
    TypedValue,
    typed_complex,
    typed_float,
    typed_int,
)

TOKEN: Final = re.compile(
    r"""
    (?: [ \t\f\n] | \\\n | \#[^\n]*+ )*+
    (?:
      (?P<number>
          0[xX](?:_?[0-9a-fA-F])++(?!\w) | 0[oO](?:_?[0-7])++(?!\w) | 0[bB](?:_?[01])++(?!\w)
        | (?: [0-9](?:_?[0-9])*+(?:\.(?:[0-9](?:_?[0-9])*+)?+)?+ | \.[0-9](?:_?[0-9])*+ )
          (?:[eE][+-]?[0-9](?:_?[0-9])*+)?+[jJ]?+(?!\w) )
    | (?P<string>
          (?P<prefix>(?:[rR][bB]?|[bB][rR]?|[uU])?)
          (?: '''(?:[^\\']++|\\.|'(?!''))*+''' | \"""(?:[^\\"]++|\\.|"(?!""))*+\"""
            | '[^'\\\n]*+(?:\\.[^'\\\n]*+)*+' | "[^"\\\n]*+(?:\\.[^"\\\n]*+)*+" ) )
    | (?P<name> (?:[^\W\d]\w*+\.<locals>\.)*+ [^\W\d]\w*+ )
    | (?P<op> \*\*|//|<<|>>|\.\.\.|[-+*/%~&|^()\[\]{},:=.<>] )
    | (?P<end> \Z )
    )""",
    re.VERBOSE | re.DOTALL,
).match
"""Matches blanks and comments and then one token; ``lastgroup`` is its kind."""

_PLAIN_ESCAPES: Final = re.compile(
    r"""(?:[^\\]++|\\(?:[\n\\'"abfnrtv]|[0-3]?[0-7]{1,2}(?![0-7])|[0-3][0-7]{2}
    |x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U(?:0010|000[0-9a-fA-F])[0-9a-fA-F]{4}))*+""",
    re.VERBOSE,
).fullmatch
_PLAIN_BYTES: Final = re.compile(
    r"""(?:[^\\]++|\\(?:[\n\\'"abfnrtv]|[0-3]?[0-7]{1,2}(?![0-7])|[0-3][0-7]{2}
    |x[0-9a-fA-F]{2}))*+""",
    re.VERBOSE,
).fullmatch
_ESCAPE: Final = re.compile(
    r"\\(?:([0-7]{1,3})|x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|N\{([^{}]{1,100})\}|(.))",
    re.DOTALL,
)
_SIMPLE: Final = {
    "\n": "",
    "\\": "\\",
    "'": "'",
    '"': '"',
    "a": "\a",
    "b": "\b",
    "f": "\f",
    "n": "\n",
    "r": "\r",
    "t": "\t",
    "v": "\v",
}
MAX_RARE_ESCAPES: Final = 20_000
"""Escapes that only the slow path knows (``\\N{...}``, unknown ones) in one string."""


def read_string(literal: str, prefix: str) -> str | bytes:
    """Return what the string or bytes literal ``literal`` stands for.

    Raises:
        ValueError: an escape is malformed, or bytes hold a character beyond ASCII.
    """
    quotes = 3 if literal[len(prefix) + 1 : len(prefix) + 3] == literal[len(prefix)] * 2 else 1
    body = literal[len(prefix) + quotes : -quotes]
    kind = prefix.lower()
    if "b" in kind:
        if not body.isascii():
            raise ValueError("bytes hold ASCII characters only")
        raw = body.encode("ascii")
        if "r" in kind or "\\" not in body:
            return raw
        if _PLAIN_BYTES(body):
            return codecs.escape_decode(raw)[0]
        return _unescape(body, text=False).encode("latin-1")
    if "r" in kind or "\\" not in body:
        return body
    if _PLAIN_ESCAPES(body):
        # The escapes this writes for characters beyond ASCII are read back by the decoder.
        return codecs.unicode_escape_decode(body.encode("ascii", "backslashreplace"))[0]
    return _unescape(body, text=True)


def _unescape(body: str, *, text: bool) -> str:
    if body.count("\\") > MAX_RARE_ESCAPES:
        raise ValueError("too many unusual escapes in one string")

    if text:
        return _ESCAPE.sub(_replace_in_text, body)
    if _BAD_HEX(body):
        raise ValueError("malformed \\x escape")
    return _ESCAPE.sub(_replace_in_bytes, body)


_BAD_HEX: Final = re.compile(r"(?:[^\\]++|\\[^x]|\\x[0-9a-fA-F]{2})*+\\x", re.DOTALL).match


def _replace_in_text(match: re.Match[str]) -> str:
    octal, two, four, eight, name, other = match.groups()
    if octal:
        return chr(int(octal, 8))
    if name:
        return _named_character(name)
    if other is None:
        code = int(two or four or eight, 16)
        if code > 0x10FFFF:
            raise ValueError(f"there is no character {match[0]}")
        return chr(code)
    if other in "xuUN":
        raise ValueError(f"malformed \\{other} escape")
    return _SIMPLE.get(other, "\\" + other)


def _replace_in_bytes(match: re.Match[str]) -> str:
    octal, two, _, _, _, other = match.groups()
    if octal:
        return chr(int(octal, 8) & 0xFF)
    if two:
        return chr(int(two, 16))
    return match[0] if other is None else _SIMPLE.get(other, "\\" + other)


def _named_character(name: str) -> str:
    try:
        character = unicodedata.lookup(name)
    except KeyError:
        raise ValueError(f"there is no character named {name!r}") from None
    if len(character) != 1:
        raise ValueError(f"{name!r} names a sequence, not a character")
    return character


def typed_string(content: str | bytes) -> TypedValue:
    """Return text or bytes as a typed value."""
    if isinstance(content, str):
        return {"t": "str", "v": content}
    return {"t": "bytes", "v": base64.b64encode(content).decode("ascii")}


def read_number(literal: str, max_bits: int) -> TypedValue:
    """Return the number literal ``literal`` as a typed value.

    Raises:
        ValueError: leading zeros, or longer than 4,000 digits or ``max_bits``.
    """
    text = literal.replace("_", "").lower()
    if text[:2] in ("0x", "0o", "0b"):
        if (len(text) - 2) * {"x": 4, "o": 3, "b": 1}[text[1]] > max_bits:
            raise ValueError(f"an integer of more than {max_bits} bits")
        return typed_int(int(text, 0))
    if len(text) > MAX_INT_DIGITS:
        raise ValueError(f"a number of more than {MAX_INT_DIGITS} digits")
    if text[-1] == "j":
        return typed_complex(complex(0.0, float(text[:-1])))
    if not text.isdigit():
        return typed_float(float(text))
    if text[0] == "0" and text.strip("0"):
        raise ValueError("an integer has no leading zeros")
    if len(text) == MAX_INT_DIGITS and text >= FIRST_HEX:
        return typed_int(int(text))
    return {"t": "int", "v": text if text[0] != "0" else "0"}
