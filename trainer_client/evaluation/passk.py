"""pass@k without bias, and what its differences between two models are worth.

Of n samples to a problem c are right: a set of k of them, drawn without replacement, holds a right
one with probability 1 - C(n-c, k) / C(n, k) (arXiv 2107.03374). A benchmark's pass@k is the mean
over its problems; its interval comes from resampling problems.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]

RESAMPLES: Final = 2000
"""Resamples behind an interval, and sign flips behind a p-value."""
_BLOCK: Final = 1_000_000
"""Numbers drawn at a time."""


@dataclass(frozen=True)
class Estimate:
    """A mean over problems, in percent, with the bounds of its 95 % bootstrap interval."""

    mean: float
    low: float
    high: float

    def as_dict(self) -> dict[str, float]:
        """Return it as JSON."""
        return {"mean": self.mean, "low": self.low, "high": self.high}


@dataclass(frozen=True)
class Comparison:
    """Two models on the same problems.

    Attributes:
        difference: other minus first, in points, with its 95 % interval (paired bootstrap).
        p: of the paired permutation test: how often a difference as large comes from swapping the
            models at random on each problem.
        problems: problems that both have verdicts on.
    """

    difference: Estimate
    p: float
    problems: int


def pass_at_k(samples: int, right: int, k: int) -> float:
    """Return the chance that k of the samples, drawn without replacement, hold a right one.

    Raises:
        ValueError: k is not between 1 and the number of samples, or ``right`` is not possible.
    """
    if not 1 <= k <= samples or not 0 <= right <= samples:
        raise ValueError(f"pass@{k} of {right} right among {samples} samples")
    if samples - right < k:
        return 1.0
    return float(1.0 - np.prod(1.0 - k / np.arange(samples - right + 1, samples + 1)))


def bootstrap(values: Sequence[float], seed: int) -> Estimate:
    """Return the mean of values (one for each problem, 0 to 1) in percent, resampling problems.

    Raises:
        ValueError: there are none.
    """
    if not values:
        raise ValueError("no problem has a verdict")
    array = 100 * np.asarray(values, dtype=np.float64)

    def resample(rng: np.random.Generator, shape: tuple[int, int]) -> Numbers:
        return array[rng.integers(len(array), size=shape)]

    means = np.concatenate([drawn.mean(axis=1) for drawn in _draws(seed, len(array), resample)])
    low, high = np.quantile(means, [0.025, 0.975])
    return Estimate(float(array.mean()), float(low), float(high))


def compare(first: Sequence[float], other: Sequence[float], seed: int) -> Comparison:
    """Compare two models' values on the same problems, in the same order.

    Raises:
        ValueError: there are none, or of different number.
    """
    pairs = list(zip(first, other, strict=True))
    differences = np.asarray([b - a for a, b in pairs], dtype=np.float64)
    estimate = bootstrap(list(differences), seed)
    observed = abs(differences.mean())
    as_large = 0

    def swapped(rng: np.random.Generator, shape: tuple[int, int]) -> Numbers:
        return rng.choice((-1.0, 1.0), shape) * differences

    for drawn in _draws(seed, len(differences), swapped):
        as_large += int((np.abs(drawn.mean(axis=1)) >= observed - 1e-12).sum())
    # The order that was observed is one of the orders, so that p is never 0.
    return Comparison(estimate, (1 + as_large) / (1 + RESAMPLES), len(pairs))


def _draws(
    seed: int, width: int, draw: Callable[[np.random.Generator, tuple[int, int]], Numbers]
) -> Iterator[Numbers]:
    """Yield blocks of `RESAMPLES` rows in all, drawn with a generator of the seed."""
    rng = np.random.default_rng(seed)
    rows = max(1, _BLOCK // width)
    for start in range(0, RESAMPLES, rows):
        yield draw(rng, (min(rows, RESAMPLES - start), width))
