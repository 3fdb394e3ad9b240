"""Does a script's output match what was expected? Two published rules, neither of them lenient.

Both compare stripped lines, and both want as many lines as were expected: a right beginning is not
an answer, nor is a right answer with more after it. Texts only: nothing here is evaluated.
"""

from decimal import Decimal, InvalidOperation
from typing import Final

_LONGEST_NUMBER: Final = 400
"""Characters beyond which a text is compared as a text alone."""


def lines_of(text: str) -> list[str]:
    """Return the lines of a text, stripped, without empty ones at its ends."""
    return [line.strip() for line in text.strip().split("\n")]


def folded_match(expected: str, got: str, *, rel_tol: float = 1e-5) -> bool:
    """Compare as SandboxFusion and ScaleBox do: case does not matter, numbers to ``rel_tol``."""
    wanted, found = lines_of(expected), lines_of(got)
    return len(wanted) == len(found) and all(
        one.lower() == other.lower() or _floats_match(one, other, rel_tol)
        for one, other in zip(wanted, found, strict=True)
    )


def decimal_match(expected: str, got: str) -> bool:
    """Compare as LiveCodeBench does: by text, and numbers by their exact value (1.0 is 1)."""
    wanted, found = lines_of(expected), lines_of(got)
    return len(wanted) == len(found) and all(
        one == other or _decimals_match(one, other)
        for one, other in zip(wanted, found, strict=True)
    )


def _floats_match(expected: str, got: str, rel_tol: float) -> bool:
    if max(len(expected), len(got)) > _LONGEST_NUMBER:
        return False
    try:
        wanted, found = float(expected), float(got)
    except ValueError:
        return False
    # False for a nan and for an infinity, which as texts would have been equal.
    return abs(wanted - found) / max(abs(wanted), 1e-10) < rel_tol


def _decimals_match(expected: str, got: str) -> bool:
    wanted, found = expected.split(), got.split()
    if len(wanted) != len(found):
        return False
    return all(
        one == other or _equal_decimals(one, other)
        for one, other in zip(wanted, found, strict=True)
    )


def _equal_decimals(expected: str, got: str) -> bool:
    if max(len(expected), len(got)) > _LONGEST_NUMBER:
        return False
    try:
        return Decimal(expected) == Decimal(got)
    except InvalidOperation:
        return False
