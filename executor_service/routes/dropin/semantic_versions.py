"""Which versions a range of semantic versions means, as far as asking for a Python needs it.

Covered: ``*``, ``3``, ``3.11``, ``3.11.x``, an operator (``^ ~ >= <= > < =``) before any of them,
several with spaces between (all must hold), alternatives with ``||``. Not covered: pre-releases.
"""

import re
from typing import Final

_RANGE: Final = re.compile(
    r"(\^|~|>=|<=|>|<|=|)v?(\d{1,9}|[xX*])(?:\.(\d{1,9}|[xX*])){0,2}", re.ASCII
)
_ANY: Final = frozenset("xX*")
_LONGEST: Final = 200
_OPERATOR_GAP: Final = re.compile(r"([\^~<>=])\s+")


def version_matches(wanted: str, version: str) -> bool:
    """Tell whether ``version``, three numbers, is among those that ``wanted`` means."""
    if len(wanted) > _LONGEST:
        return False
    numbers = tuple(int(part) for part in re.findall(r"\d+", version)[:3])
    alternatives = [_OPERATOR_GAP.sub(r"\1", text).split() for text in wanted.split("||")]
    return any(
        all(_holds(condition, numbers) for condition in conditions or ["*"])
        for conditions in alternatives
    )


def _holds(condition: str, version: tuple[int, ...]) -> bool:
    if not _RANGE.fullmatch(condition):
        return False
    text = condition.lstrip("^~<>=")
    operator = condition[: len(condition) - len(text)]
    given: list[int] = []
    for part in text.removeprefix("v").split("."):
        if part in _ANY:
            break
        given.append(int(part))
    low = (*given, 0, 0, 0)[:3]
    above = _next(given, len(given))
    if operator == "^":
        above = _next(given, 1) if not given or given[0] else _next(given, 2)
    elif operator == "~":
        above = _next(given, min(2, len(given)))
    elif operator == ">=":
        return version >= low
    elif operator == ">":
        return bool(given) and version >= above
    elif operator == "<=":
        return version < above
    elif operator == "<":
        return version < low
    return low <= version < above


def _next(given: list[int], length: int) -> tuple[float, ...]:
    """Return the first version after all that begin with ``length`` of the given numbers."""
    if not given[:length]:
        return (float("inf"),)
    *head, last = given[:length]
    return (*head, last + 1)
