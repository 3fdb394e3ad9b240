"""The optimizers of a model and the learning rate at each step."""

from collections.abc import Callable, Sequence

from torch import nn
from torch.optim import AdamW, Optimizer

from trainer_client.config.model import OptimizerConfig

MakeOptimizers = Callable[[nn.Module, OptimizerConfig], Sequence[Optimizer]]
"""Divides a model's parameters among optimizers; each group's `lr` is its rate at the peak."""


def adamw(model: nn.Module, config: OptimizerConfig) -> Sequence[Optimizer]:
    """One AdamW over all parameters, as AZR has it: biases and norms decay as well."""
    return [
        AdamW(
            model.parameters(),
            lr=config.lr,
            betas=config.betas,
            eps=config.eps,
            weight_decay=config.weight_decay,
            fused=True,
        )
    ]


def rate_factor(step: int, total: int, config: OptimizerConfig) -> float:
    """Return what the peak rate is multiplied by at an optimizer step, counted from 0.

    Linear warm-up over `warmup_steps`, the full rate being reached by the first step after them;
    then constant, or linear to 0 at `total`, which the last step (total - 1) does not reach.
    """
    warmup = config.warmup_steps
    if step < warmup:
        return (step + 1) / (warmup + 1)
    if config.schedule == "constant":
        return 1.0
    return max(0.0, (total - step) / max(1, total - warmup))


class Schedule:
    """Sets the rates of all groups from the step alone, so that there is no state to save."""

    def __init__(
        self, optimizers: Sequence[Optimizer], config: OptimizerConfig, total: int
    ) -> None:
        """Remember each group's rate as its peak."""
        self._optimizers = optimizers
        self._config = config
        self._total = total
        self._peaks = [[float(group["lr"]) for group in each.param_groups] for each in optimizers]

    def set(self, step: int) -> float:
        """Set the rates for an optimizer step and return the first group's."""
        factor = rate_factor(step, self._total, self._config)
        # The groups are looked up each time: an optimizer that loads its state makes new ones.
        for optimizer, peaks in zip(self._optimizers, self._peaks, strict=True):
            for group, peak in zip(optimizer.param_groups, peaks, strict=True):
                group["lr"] = peak * factor
        return self._peaks[0][0] * factor
