"""The distance between the learner's and the sampler's log-probabilities, and its correction.

Sampler and learner compute the same policy with other kernels and precisions, so the samples are
a little off-policy. With d_t = log pi_learner(y_t) - log pi_sampler(y_t), both by the weights that
generated y:

    truncated importance sampling     w_t = min(exp(d_t), C)
    k3 estimate of KL(sampler || learner)   mean(exp(d_t) - 1 - d_t)  >= 0
    effective sample share            (sum exp(d_t))^2 / (n sum exp(2 d_t))

Sources: truncated importance sampling as in TRL and verl (C = 2); Schulman, "Approximating KL
divergence" (2020), for k3.
"""

import torch
from torch import Tensor

from trainer_client.algorithms.aggregate import Aggregate

USUAL_CAP = 2.0
"""The cap that `mismatch/capped` is counted against while the correction is off."""
LOG_RATIO_LIMIT = 20.0
"""Log-ratios are cut here, so that exp never overflows fp32 (exp(20) = 4.9e8)."""


def log_ratio(logprobs: Tensor, reference: Tensor) -> Tensor:
    """Return ``logprobs - reference`` in fp32, cut at +-20."""
    return (logprobs.float() - reference.float()).clamp(-LOG_RATIO_LIMIT, LOG_RATIO_LIMIT)


def importance_weights(learner: Tensor, sampler: Tensor, cap: float) -> Tensor:
    """Return min(exp(learner - sampler), cap) per token; no gradient flows through it."""
    return log_ratio(learner.detach(), sampler).exp().clamp(max=cap)


def k3(log_ratios: Tensor) -> Tensor:
    """Return exp(d) - 1 - d per element: never negative, and 0 only where d is 0."""
    # expm1 keeps the digits that exp(d) - 1 loses at small d; the clamp takes the rounding left.
    return (torch.expm1(log_ratios) - log_ratios).clamp(min=0.0)


def mismatch_metrics(learner: Tensor, sampler: Tensor, cap: float | None) -> Aggregate:
    """Measure the mismatch over on-policy tokens.

    Args:
        learner: log-probabilities by the learner, with the weights that generated.
        sampler: log-probabilities as the sampler recorded them.
        cap: of the importance weights; None counts against `USUAL_CAP`.

    Returns:
        ``mismatch/abs`` (mean), ``mismatch/abs_max``, ``mismatch/k3``, ``mismatch/capped``
        (share of tokens) and ``mismatch/ess`` (share, 1 without mismatch).
    """
    count = learner.numel()
    if count == 0:
        return Aggregate()
    d = log_ratio(learner.detach(), sampler)
    weights = d.exp()
    capped = (weights > (USUAL_CAP if cap is None else cap)).float()
    # fp64 sums: squares reach exp(40). One transfer from the device instead of six.
    parts = [d.abs().sum(), d.abs().max(), k3(d).sum(), capped.sum()]
    parts += [weights.double().sum(), weights.double().square().sum()]
    total, largest, k3_sum, over, first, second = torch.stack([p.double() for p in parts]).tolist()
    return Aggregate(
        means={
            "mismatch/abs": (total, count),
            "mismatch/k3": (k3_sum, count),
            "mismatch/capped": (over, count),
        },
        maxima={"mismatch/abs_max": largest},
        weights={"mismatch/ess": (first, second, count)},
    )
