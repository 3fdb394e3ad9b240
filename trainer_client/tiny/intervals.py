"""Means over problems with 95 % bootstrap intervals, and paired differences between two runs."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch

RESAMPLES = 2000
"""Resamples of the problems behind each interval."""


@dataclass(frozen=True)
class Estimate:
    """A mean over problems, in percent, with the bounds of its 95 % interval."""

    mean: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.mean:.1f} [{self.low:.1f}, {self.high:.1f}]"


def bootstrap(shares: Sequence[float], seed: int) -> Estimate:
    """Return the mean of ``shares`` (one for each problem) in percent, resampling problems.

    Raises:
        ValueError: there is nothing to average.
    """
    if not shares:
        raise ValueError("no problem has a verdict")
    values = torch.tensor(shares, dtype=torch.float64) * 100
    rng = torch.Generator().manual_seed(seed)
    drawn = torch.randint(len(values), (RESAMPLES, len(values)), generator=rng)
    low, high = (
        values[drawn].mean(dim=1).quantile(torch.tensor([0.025, 0.975], dtype=torch.float64))
    )
    return Estimate(values.mean().item(), low.item(), high.item())


def paired_difference(
    before: Sequence[float | None], after: Sequence[float | None], seed: int
) -> Estimate:
    """Return the change of the mean, resampling the problems that have both values."""
    pairs = zip(before, after, strict=True)
    return bootstrap([b - a for a, b in pairs if a is not None and b is not None], seed)
