"""What an update was made of: the metrics of its optimizer steps."""

from dataclasses import dataclass, field

from trainer_client.algorithms.aggregate import Aggregate
from trainer_client.learning.microbatch import Cut
from trainer_client.parallel.ranks import Ranks


@dataclass
class UpdateRecord:
    """Collected while an update runs.

    Attributes:
        losses: metrics per token.
        rate: learning rate of the last step.
        norms: gradient norm of each step, before clipping.
        tokens: positions with a token that went forward and backward.
        padded: positions computed, padding included.
        taught: response tokens among them.
    """

    losses: Aggregate = field(default_factory=Aggregate)
    rate: float = 0.0
    norms: list[float] = field(default_factory=list)
    tokens: int = 0
    padded: int = 0
    taught: int = 0

    def add_cut(self, cut: Cut, taught: int) -> None:
        """Count one step's micro-batches."""
        self.tokens += cut.tokens
        self.padded += cut.padded
        self.taught += taught

    def merge_losses(self, ranks: Ranks) -> None:
        """Put the metrics of all ranks' micro-batches together."""
        merged = Aggregate()
        for part in ranks.everyone_says(vars(self.losses)):
            merged.merge(Aggregate(**part))
        self.losses = merged

    def values(self) -> dict[str, float]:
        """Return the metrics by name; without a step, the counts alone."""
        counts = {
            "learner/steps": float(len(self.norms)),
            "learner/tokens": float(self.tokens),
            "learner/response_tokens": float(self.taught),
        }
        if not self.norms:
            return counts
        return {
            **self.losses.values(),
            **counts,
            "learner/padding": 1 - self.tokens / self.padded,
            "learner/lr": self.rate,
            "learner/grad_norm": sum(self.norms) / len(self.norms),
            "learner/grad_norm_max": max(self.norms),
        }
