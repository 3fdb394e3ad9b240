"""How complicated a program is: cyclomatic complexity and Halstead's measures, from its tokens.

AZR computes these with complexipy and radon on the parsed tree; the numbers here come from tokens
(see `lexing` for why), as lizard does, so they are of the same kind but not equal.
"""

from dataclasses import dataclass
from math import log2

from trainer_client.rewards.lexing import Kind, tokens

_DECISIONS = frozenset({"if", "elif", "for", "while", "except", "and", "or", "assert"})
_CLOSING = frozenset(")]}")

COMPLEXITY_SCALE = 15.0
"""Decisions that earn the full complexity term (AZR divides cognitive complexity by 15)."""
EFFORT_SCALE, CYCLOMATIC_SCALE, VOLUME_SCALE = 10_000.0, 10.0, 500.0
"""AZR's `effort_max`, `complexity_max` and `volume_max`."""


@dataclass(frozen=True)
class Halstead:
    """Halstead's measures (1977), with n1, n2 distinct and N1, N2 total operators and operands.

    Keywords and symbols are operators, a pair of brackets one; names and literals are operands.

    Attributes:
        volume: (N1 + N2) log2(n1 + n2), in bits.
        difficulty: n1 / 2 * N2 / n2.
        effort: difficulty * volume.
    """

    volume: float
    difficulty: float
    effort: float


def cyclomatic_complexity(program: str) -> int:
    """Return McCabe's number of a program: 1 + its decisions (1976).

    Decisions are if, elif, for, while, except, assert, and each `and` and `or`; those of
    comprehensions and conditional expressions count as well.
    """
    return 1 + sum(
        token.kind is Kind.KEYWORD and token.text in _DECISIONS for token in tokens(program)
    )


def halstead_measures(program: str) -> Halstead:
    """Return Halstead's measures; all 0 for a program without operands."""
    operators, operands = [], []
    for token in tokens(program):
        if token.kind in (Kind.KEYWORD, Kind.SYMBOL):
            if token.text not in _CLOSING:
                operators.append(token.text)
        else:
            operands.append(token.text)
    distinct = len(set(operators)) + len(set(operands))
    if not operands or distinct < 2:
        return Halstead(0.0, 0.0, 0.0)
    volume = (len(operators) + len(operands)) * log2(distinct)
    difficulty = len(set(operators)) / 2 * len(operands) / len(set(operands))
    return Halstead(volume, difficulty, difficulty * volume)


def complexity(program: str) -> float:
    """Return min(1, (M - 1) / 15), M the cyclomatic complexity: 0 for straight-line code."""
    return min(1.0, (cyclomatic_complexity(program) - 1) / COMPLEXITY_SCALE)


def halstead(program: str) -> float:
    """Return AZR's Halstead term, in [0, 1].

    0.5 min(1, E / 10000) + 0.3 min(1, M / 10) + 0.2 min(1, V / 500), with effort E, volume V and
    cyclomatic complexity M.
    """
    measures = halstead_measures(program)
    return (
        0.5 * min(1.0, measures.effort / EFFORT_SCALE)
        + 0.3 * min(1.0, cyclomatic_complexity(program) / CYCLOMATIC_SCALE)
        + 0.2 * min(1.0, measures.volume / VOLUME_SCALE)
    )
