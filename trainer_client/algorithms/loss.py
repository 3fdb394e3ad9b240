"""The policy loss over the response tokens of one micro-batch, and its metrics.

With r_t = exp(log pi - log pi_old), A_t the advantage of the token's response, N the response
tokens of the whole mini-batch:

    PPO (arXiv 1707.06347)       L_t = max(-A r, -A clip(r, 1 - low, 1 + high))
    clip-higher (DAPO)           high > low
    dual clip (1912.09729)       L_t = min(L_t, -A c) where A < 0
    importance sampling          L_t = w_t L_t                         (`mismatch`, switch)
    Clip-Cov, KL-Cov             L_t = 0, or L_t + beta |log pi - log pi_old|, on treated tokens
    high-entropy tokens          L_t = 0 elsewhere                     (`entropy`)
    demonstrations               L_t = -A f(pi)                        (`mixing`)
    total                        sum_t (L_t - coef H_t) / N

Dividing by N instead of the micro-batch's own count makes the sum over micro-batches the token
mean of the mini-batch, whatever the cut. AZR averages micro-batch means instead, which weighs
tokens by the company they keep; with one micro-batch the two agree.

With one optimizer step per batch r = 1 throughout, and the gradient is REINFORCE's,
-A grad log pi / N; with A = 1 that is maximum likelihood on the responses.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from trainer_client.algorithms.aggregate import Aggregate
from trainer_client.algorithms.mismatch import (
    importance_weights,
    k3,
    log_ratio,
    mismatch_metrics,
)
from trainer_client.algorithms.mixing import demonstration_loss
from trainer_client.config.algorithm import LossConfig


@dataclass(frozen=True)
class LossInputs:
    """Flat tensors, one element per response token of one micro-batch.

    Attributes:
        logprobs: by the present weights; the gradient flows through them.
        old_logprobs: by the weights from before the first optimizer step on the batch, without
            gradient; ``logprobs.detach()`` where there is only one step. Not read where
            `off_policy`.
        sampler_logprobs: as recorded by the sampler. Not read where `off_policy`.
        advantages: of each token's response.
        entropy: of the full distribution; None when it is neither logged nor rewarded.
        off_policy: bool, tokens of demonstrations.
        treated: bool, the tokens chosen by `covariance.treated_tokens` for the mini-batch.
        taught: bool, the tokens kept by `entropy.high_entropy_mask` for the mini-batch; None: all.
    """

    logprobs: Tensor
    old_logprobs: Tensor
    sampler_logprobs: Tensor
    advantages: Tensor
    off_policy: Tensor
    entropy: Tensor | None = None
    treated: Tensor | None = None
    taught: Tensor | None = None


@dataclass(frozen=True)
class LossOutput:
    """A micro-batch's share of the loss.

    Attributes:
        total: scalar to call backward on; the micro-batches' totals add up to the loss.
        metrics: sums and counts; merge those of all micro-batches, then ask for `values()`.
    """

    total: Tensor
    metrics: Aggregate


def policy_loss(
    inputs: LossInputs, config: LossConfig, normaliser: int, gamma: float = 0.1
) -> LossOutput:
    """Compute a micro-batch's share of the loss (equations above).

    Args:
        inputs: the micro-batch; it may be empty, which gives 0 and a zero gradient.
        config: which variants, and their numbers.
        normaliser: N, the response tokens of the whole mini-batch.
        gamma: policy shaping of demonstrations.

    Raises:
        ValueError: `config.entropy_coef` is set and the inputs hold no entropy.
    """
    if config.entropy_coef and inputs.entropy is None:
        raise ValueError("an entropy bonus needs LossInputs.entropy")
    logprobs, advantages = inputs.logprobs.float(), inputs.advantages.float()
    on_policy = ~inputs.off_policy
    # Whatever stands in the unread places must not reach the gradient: the backward pass of
    # torch.where multiplies by zero, and 0 * NaN is NaN.
    old = torch.where(on_policy, inputs.old_logprobs.float(), logprobs.detach()).detach()
    sampler = torch.where(on_policy, inputs.sampler_logprobs.float(), old)
    d = log_ratio(logprobs, old)
    losses, clipped, bounded = clipped_surrogate(d.exp(), advantages, config)
    if config.importance_cap is not None:
        losses = losses * importance_weights(old, sampler, config.importance_cap)
    losses = _hold_back(losses, d, inputs.treated, config)
    losses = torch.where(on_policy, losses, demonstration_loss(logprobs, advantages, gamma))
    if inputs.taught is not None:
        losses = torch.where(inputs.taught, losses, 0.0)
    policy_sum = losses.sum()
    total = policy_sum
    if config.entropy_coef and inputs.entropy is not None:
        total = total - config.entropy_coef * inputs.entropy.float().sum()
    metrics = _metrics(inputs, d, on_policy, {"loss/policy": policy_sum, "loss/total": total})
    metrics.merge(_shares({"policy/clipped": clipped, "policy/dual_clipped": bounded}, on_policy))
    metrics.merge(mismatch_metrics(old[on_policy], sampler[on_policy], config.importance_cap))
    return LossOutput(total / max(normaliser, 1), metrics)


def clipped_surrogate(
    ratio: Tensor, advantages: Tensor, config: LossConfig
) -> tuple[Tensor, Tensor, Tensor]:
    """Return PPO's loss per token, where its clip is active, and where the dual clip is."""
    plain = -advantages * ratio
    clipped = -advantages * ratio.clamp(1 - config.clip_low, 1 + config.clip_high)
    losses, active = torch.maximum(plain, clipped), clipped > plain
    if config.dual_clip is None:
        return losses, active, torch.zeros_like(active)
    bound = -advantages * config.dual_clip
    bounded = (advantages < 0) & (losses > bound)
    return torch.where(bounded, bound, losses), active, bounded


def _hold_back(losses: Tensor, d: Tensor, treated: Tensor | None, config: LossConfig) -> Tensor:
    """Apply KL-Cov or Clip-Cov to the treated tokens."""
    if treated is None or config.covariance == "none":
        return losses
    if config.covariance == "clip-cov":
        return torch.where(treated, 0.0, losses)
    return torch.where(treated, losses + config.covariance_kl * d.abs(), losses)


def _metrics(
    inputs: LossInputs, d: Tensor, on_policy: Tensor, sums: dict[str, Tensor]
) -> Aggregate:
    """Collect the losses, the entropies and the distance from the old policy."""
    count = inputs.logprobs.numel()
    if count == 0:
        return Aggregate()
    own = int(on_policy.sum())
    found = {name: (value, count) for name, value in sums.items()}
    found["policy/kl_old"] = (k3(d.detach()[on_policy]).sum(), own)
    found["entropy/sampled_token"] = (-inputs.logprobs.float()[on_policy].sum(), own)
    if inputs.entropy is not None:
        found["entropy/full"] = (inputs.entropy.float()[on_policy].sum(), own)
    found["policy/off_policy"] = (inputs.off_policy.sum(), count)
    if inputs.treated is not None:
        found["policy/treated"] = (inputs.treated.sum(), count)
    if inputs.taught is not None:
        found["policy/taught"] = (inputs.taught.sum(), count)
    totals = torch.stack([value.detach().double() for value, _ in found.values()]).tolist()
    counts = [size for _, size in found.values()]
    return Aggregate(means=dict(zip(found, zip(totals, counts, strict=True), strict=True)))


def _shares(marks: dict[str, Tensor], on_policy: Tensor) -> Aggregate:
    """Count marks among the on-policy tokens."""
    own = int(on_policy.sum())
    return Aggregate(
        means={name: (float((mark & on_policy).sum()), own) for name, mark in marks.items()}
    )
