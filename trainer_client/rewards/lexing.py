"""The tokens of a program, by one linear scan: no parser that hostile text could crash.

CPython documents that `ast.parse` can crash the interpreter on deeply nested text. Counting and
comparing tokens is all that the reward terms need, and the scan below is linear in the text. Text
that is not Python gives tokens as well.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from keyword import iskeyword

MAX_CHARS = 20_000
"""Longer texts are cut: rewards compare beginnings rather than spend unbounded time."""

_TOKENS = re.compile(
    r"""
      (?P<comment>\#[^\n]*|\\\r?\n)
    | (?P<string>(?:br|rb|fr|rf|[rbuf])?
        (?: \"{3}[^"\\]*(?:(?:\\.|"(?!""))[^"\\]*)*(?:\"{3}|\\?\Z)
          | '{3}[^'\\]*(?:(?:\\.|'(?!''))[^'\\]*)*(?:'{3}|\\?\Z)
          | "[^"\\\n]*(?:\\.[^"\\\n]*)*(?:"|\\?\Z|(?=\n))
          | '[^'\\\n]*(?:\\.[^'\\\n]*)*(?:'|\\?\Z|(?=\n)) ))
    | (?P<number>\.?\d(?:e[+-]\d|[\w.])*)
    | (?P<word>\w+)
    | (?P<symbol>\*\*=|//=|>>=|<<=|\.\.\.|->|:=|[*]{2}|//|<<|>>|[-+*/%@&|^=<>!]=|[^\w\s])
    """,
    re.VERBOSE | re.DOTALL | re.IGNORECASE,
)
# Each loop is followed by something that matches wherever the loop ends (an open string ends with
# its line or with the text), so a match that has begun succeeds and nothing is scanned twice.


class Kind(StrEnum):
    """What a token is."""

    KEYWORD = "keyword"
    NAME = "name"
    NUMBER = "number"
    STRING = "string"
    SYMBOL = "symbol"


@dataclass(frozen=True)
class Token:
    """A piece of a program, without the white space and comments around it."""

    kind: Kind
    text: str


def tokens(program: str) -> list[Token]:
    """Return the tokens of the first `MAX_CHARS` characters; comments and layout are left out."""
    found = []
    for match in _TOKENS.finditer(program[:MAX_CHARS]):
        kind, text = match.lastgroup, match.group()
        if kind == "word":
            found.append(Token(Kind.KEYWORD if iskeyword(text) else Kind.NAME, text))
        elif kind is not None and kind != "comment":
            found.append(Token(Kind(kind), text))
    return found
