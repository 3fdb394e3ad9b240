"""Means over problems with 95 % bootstrap intervals, differences of pairs, and trends."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from trainer_client.seeds import derive

RESAMPLES: Final = 2000
"""Resamples behind each interval."""
Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Interval:
    """A value and the bounds of its 95 % interval."""

    value: float
    low: float
    high: float

    @property
    def sign(self) -> int:
        """1 or -1 where the interval lies on one side of zero, else 0."""
        return (self.low > 0) - (self.high < 0)

    def text(self, style: str = ".3f") -> str:
        """Return value and bounds in a format."""
        return f"{self.value:{style}} [{self.low:{style}}, {self.high:{style}}]"


def mean(values: Sequence[float], seed: int = 0) -> Interval:
    """Return the mean of at least one value, resampling values."""
    return _resampled(np.asarray(values, dtype=np.float64)[:, None], _first_mean, seed)


def difference(before: Sequence[float], after: Sequence[float], seed: int = 0) -> Interval:
    """Return the mean of ``after - before`` over pairs, resampling pairs."""
    return mean([b - a for a, b in zip(before, after, strict=True)], seed)


def trend(places: Sequence[float], values: Sequence[float], seed: int = 0) -> Interval:
    """Return the least-squares slope of values over places, resampling points.

    Raises:
        ValueError: all places are the same one.
    """
    if len(set(places)) < 2:
        raise ValueError("a slope needs two different places")
    return _resampled(np.column_stack([places, values]).astype(np.float64), _slope, seed)


def _resampled(points: Numbers, statistic: Callable[[Numbers], float], seed: int) -> Interval:
    rng = np.random.default_rng(derive(seed, 0, "bootstrap"))
    drawn = [
        statistic(points[rng.integers(len(points), size=len(points))]) for _ in range(RESAMPLES)
    ]
    known = [value for value in drawn if np.isfinite(value)]
    low, high = np.quantile(known, [0.025, 0.975])
    return Interval(float(statistic(points)), float(low), float(high))


def _first_mean(points: Numbers) -> float:
    return float(points[:, 0].mean())


def _slope(points: Numbers) -> float:
    """Return the slope; NaN for a resample that holds one place alone."""
    place = points[:, 0] - points[:, 0].mean()
    spread = float((place**2).sum())
    return float((place * points[:, 1]).sum()) / spread if spread else float("nan")
