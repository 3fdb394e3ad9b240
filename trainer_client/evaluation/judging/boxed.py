r"""The answer that a response puts in ``\boxed{}``, and integers in one."""

import re
from typing import Final

_BOXES: Final = ("\\boxed{", "\\fbox{", "\\framebox{")
_LAYOUT: Final = re.compile(r"\\text\{|\\mathrm\{|\\mathbf\{|\\[,;:! ]|[\s${}]|\\left|\\right")
_INTEGER: Final = re.compile(r"[+-]?[0-9]{1,30}(?:\.0*)?")
_GROUPED: Final = re.compile(r"[+-]?[0-9]{1,3}(?:,[0-9]{3})+")


def last_boxed(text: str) -> str | None:
    """Return what stands in the last box whose braces close; None where there is none."""
    start = max((text.rfind(box) + len(box) for box in _BOXES if box in text), default=None)
    if start is None:
        return None
    depth = 1
    for place in range(start, len(text)):
        depth += {"{": 1, "}": -1}.get(text[place], 0)
        if not depth:
            return text[start:place]
    return None


def boxed_integer(text: str) -> int | None:
    """Return the integer in the last box: ``204``, ``033``, ``1,024``, ``27.0``; None otherwise."""
    inside = last_boxed(text)
    if inside is None:
        return None
    plain = _LAYOUT.sub("", inside).removesuffix("^\\circ")
    if _GROUPED.fullmatch(plain):
        plain = plain.replace(",", "")
    if not _INTEGER.fullmatch(plain):
        return None
    return int(plain.partition(".")[0])
