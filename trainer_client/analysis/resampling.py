"""Means over problems with 95 % bootstrap intervals, differences of pairs, and trends."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from trainer_client.seeds import derive

RESAMPLES: Final = 2000
"""Resamples behind each interval."""
_BLOCK: Final = 1_000_000
"""Points drawn at a time."""
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
    return _resampled(np.asarray(values, dtype=np.float64)[:, None], _means, seed)


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
    return _resampled(np.column_stack([places, values]).astype(np.float64), _slopes, seed)


def _resampled(points: Numbers, statistic: Callable[[Numbers], Numbers], seed: int) -> Interval:
    """Apply a statistic of samples (of points, of coordinates) to the points and to resamples."""
    rng = np.random.default_rng(derive(seed, 0, "bootstrap"))
    count = len(points)
    rows = max(1, _BLOCK // count)
    drawn = np.concatenate(
        [
            statistic(points[rng.integers(count, size=(min(rows, RESAMPLES - done), count))])
            for done in range(0, RESAMPLES, rows)
        ]
    )
    low, high = np.quantile(drawn[np.isfinite(drawn)], [0.025, 0.975])
    return Interval(float(statistic(points[None])[0]), float(low), float(high))


def _means(samples: Numbers) -> Numbers:
    found: Numbers = samples[:, :, 0].mean(axis=1)
    return found


def _slopes(samples: Numbers) -> Numbers:
    """Return each sample's slope; NaN for a resample that holds one place alone."""
    place = samples[:, :, 0] - samples[:, :, 0].mean(axis=1, keepdims=True)
    spread = (place**2).sum(axis=1)
    spread[spread == 0] = np.nan
    found: Numbers = (place * samples[:, :, 1]).sum(axis=1) / spread
    return found
