"""The optimizers of a model and the learning rate at each step."""

from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any

from torch import nn
from torch.distributed.tensor import DTensor
from torch.optim import AdamW, Optimizer

from trainer_client.config.model import OptimizerConfig
from trainer_client.errors import ConfigError
from trainer_client.learning.offload import OffloadedAdamW

MakeOptimizers = Callable[[nn.Module, OptimizerConfig], Sequence[Optimizer]]
"""Divides a model's parameters among optimizers; each group's `lr` is its rate at the peak."""


def adamw(model: nn.Module, config: OptimizerConfig) -> Sequence[Optimizer]:
    """One AdamW over all taught parameters, as AZR has it: biases and norms decay as well.

    Raises:
        ConfigError: `kind` or `offload` needs a package that is not there, or one process.
    """
    taught = [parameter for parameter in model.parameters() if parameter.requires_grad]
    settings: dict[str, Any] = {
        "lr": config.lr,
        "betas": config.betas,
        "eps": config.eps,
        "weight_decay": config.weight_decay,
    }
    if config.kind == "adamw_8bit":
        _require_whole(taught, "optimizer.kind: adamw_8bit")
        made = _bitsandbytes().optim.AdamW8bit(taught, **settings)
        assert isinstance(made, Optimizer)
        return [made]
    if config.offload == "cpu":
        _require_whole(taught, "optimizer.offload: cpu")
        return [OffloadedAdamW(taught, **settings, fused=True)]
    return [AdamW(taught, **settings, fused=True)]


def _require_whole(parameters: Sequence[nn.Parameter], setting: str) -> None:
    """Refuse what cannot step on a part of a parameter; sharding divides the moments anyway."""
    if any(isinstance(parameter, DTensor) for parameter in parameters):
        raise ConfigError(
            f"{setting} is for one process; several divide the moments among them already"
        )


def _bitsandbytes() -> Any:
    """Import the library of 8-bit optimizers, which few runs need.

    Raises:
        ConfigError: it is not installed.
    """
    try:
        return import_module("bitsandbytes")
    except ImportError as error:
        raise ConfigError(
            "optimizer.kind: adamw_8bit needs bitsandbytes, which is not installed "
            "(pip install 'azr-verifier[8bit]')"
        ) from error


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
