"""`LossInputs` from lists of numbers."""

import torch
from torch import Tensor

from trainer_client.algorithms.loss import LossInputs


def tensor(values) -> Tensor:
    return torch.tensor(values, dtype=torch.float32)


def inputs(logprobs, advantages, old=None, sampler=None, off_policy=None, **rest) -> LossInputs:
    """The log-probabilities carry a gradient; old and sampler's equal them unless given."""
    present = tensor(logprobs).requires_grad_()
    old = present.detach().clone() if old is None else tensor(old)
    return LossInputs(
        logprobs=present,
        old_logprobs=old,
        sampler_logprobs=old.clone() if sampler is None else tensor(sampler),
        advantages=tensor(advantages),
        off_policy=torch.tensor(off_policy or [False] * len(logprobs), dtype=torch.bool),
        **rest,
    )


def loss_and_gradient(given: LossInputs, output) -> tuple[float, list[float]]:
    output.total.backward()
    assert given.logprobs.grad is not None
    return output.total.item(), given.logprobs.grad.tolist()
