"""`Aggregate`: metrics of the micro-batches of an update, merged without error.

A mean of means is wrong when the parts differ in size. Here the parts carry sums and counts, so
the merged values are those of the whole batch however it was cut.
"""

from dataclasses import dataclass, field


@dataclass
class Aggregate:
    """Sums that become metrics when the last part has been merged.

    Attributes:
        means: name to (sum, count); the metric is sum / count.
        maxima: name to the largest value seen.
        weights: name to (sum of w, sum of w squared, count); the metric is the effective sample
            share (sum w)^2 / (count * sum w^2), 1 for equal weights.
    """

    means: dict[str, tuple[float, float]] = field(default_factory=dict)
    maxima: dict[str, float] = field(default_factory=dict)
    weights: dict[str, tuple[float, float, float]] = field(default_factory=dict)

    def merge(self, other: "Aggregate") -> None:
        """Add the parts of `other` to this one."""
        for name, (total, count) in other.means.items():
            mine = self.means.get(name, (0.0, 0.0))
            self.means[name] = (mine[0] + total, mine[1] + count)
        for name, value in other.maxima.items():
            self.maxima[name] = max(self.maxima.get(name, value), value)
        for name, (total, squares, count) in other.weights.items():
            known = self.weights.get(name, (0.0, 0.0, 0.0))
            self.weights[name] = (known[0] + total, known[1] + squares, known[2] + count)

    def values(self) -> dict[str, float]:
        """Return the metrics; a metric without any observation is left out."""
        found = {name: total / count for name, (total, count) in self.means.items() if count > 0}
        found.update(self.maxima)
        found.update(
            (name, total * total / (count * squares))
            for name, (total, squares, count) in self.weights.items()
            if count > 0 and squares > 0
        )
        return found
