"""Curves: a metric over steps, smoothed, thinned, and summed up by its first and last values."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any, Final

MAX_POINTS: Final = 400
"""More steps than this are drawn as means of neighbours."""
NOT_METRICS: Final = frozenset({"step", "time"})
"""Keys of a line of metrics.jsonl that are no metric."""


@dataclass(frozen=True)
class Series:
    """A metric's finite values with their steps."""

    name: str
    steps: tuple[float, ...]
    values: tuple[float, ...]

    def smoothed(self, span: int) -> "Series":
        """Return the exponential moving average, alpha = 2 / (span + 1).

        It is divided by the sum of its weights, so that it begins at the first value.
        """
        alpha = 2 / (span + 1)
        total = weight = 0.0
        found = []
        for value in self.values:
            total += alpha * (value - total)
            weight += alpha * (1 - weight)
            found.append(total / weight)
        return Series(self.name, self.steps, tuple(found))

    def thinned(self, points: int = MAX_POINTS) -> "Series":
        """Return at most `points` points, each the mean of as many neighbours."""
        size = -(-len(self.values) // points)
        cuts = range(0, len(self.values), size)
        return Series(
            self.name,
            tuple(fmean(self.steps[at : at + size]) for at in cuts),
            tuple(fmean(self.values[at : at + size]) for at in cuts),
        )

    def first(self, window: int) -> float:
        """Return the mean of the first values."""
        return fmean(self.values[:window])

    def last(self, window: int) -> float:
        """Return the mean of the last values."""
        return fmean(self.values[-window:])


def series_of(rows: Sequence[dict[str, Any]]) -> dict[str, Series]:
    """Return every metric that has a value in any of the lines, by name in order of appearance."""
    found: dict[str, tuple[list[float], list[float]]] = {}
    for row in rows:
        for name, value in row.items():
            if (
                name in NOT_METRICS
                or not isinstance(value, int | float)
                or not math.isfinite(value)
            ):
                continue
            steps, values = found.setdefault(name, ([], []))
            steps.append(row["step"])
            values.append(value)
    return {name: Series(name, tuple(s), tuple(v)) for name, (s, v) in found.items()}


def window_of(steps: int) -> int:
    """Return how many values stand for the beginning and for the end of a run of so many steps."""
    return max(1, min(10, steps // 5))


def span_of(steps: int) -> int:
    """Return the span of the moving average for a run of so many steps."""
    return max(1, min(25, steps // 30))
