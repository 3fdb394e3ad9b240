"""KL-Cov and Clip-Cov: holding back the few tokens that drive entropy down (arXiv 2505.22617).

The change of entropy under a policy gradient step is about minus the covariance of log-probability
and advantage, and a tiny share of tokens holds most of it:

    Cov(y_t) = (log pi(y_t) - mean log pi) (A_t - mean A)            means over the mini-batch

    KL-Cov     the k n tokens of largest Cov pay beta |log pi - log pi_old| on top of the loss
    Clip-Cov   max(1, floor(r n)) tokens drawn at random among low < Cov < high give no gradient

Both take the whole mini-batch, so the choice does not depend on how it is cut into micro-batches.
The authors' code uses the current log-probabilities and drops PPO's clip under KL-Cov; here the
choice is made once, on log-probabilities from before the update, and the clip stays as configured.
KL-Cov's penalty has no gradient where pi = pi_old: it acts from the second optimizer step on a
batch (`learner.minibatches` or `learner.epochs` above 1) and not in AZR's single step.
"""

import torch
from torch import Tensor

from trainer_client.config.algorithm import LossConfig


def covariances(advantages: Tensor, logprobs: Tensor) -> Tensor:
    """Return (log pi - mean log pi) (A - mean A) per token; empty for empty input."""
    if advantages.numel() == 0:
        return advantages.float()
    scores, gains = logprobs.detach().float(), advantages.float()
    return (scores - scores.mean()) * (gains - gains.mean())


def kl_cov_tokens(advantages: Tensor, logprobs: Tensor, share: float) -> Tensor:
    """Mark the max(1, floor(share * n)) tokens of largest covariance."""
    chosen = torch.zeros_like(advantages, dtype=torch.bool)
    if advantages.numel():
        wanted = max(1, int(share * advantages.numel()))
        order = covariances(advantages, logprobs).sort(descending=True, stable=True).indices
        chosen[order[:wanted]] = True
    return chosen


def clip_cov_tokens(
    advantages: Tensor, logprobs: Tensor, share: float, bounds: tuple[float, float], seed: int
) -> Tensor:
    """Mark max(1, floor(share * n)) tokens at random among low < Cov < high, or all there are."""
    chosen = torch.zeros_like(advantages, dtype=torch.bool)
    cov = covariances(advantages, logprobs)
    places = ((cov > bounds[0]) & (cov < bounds[1])).nonzero().flatten()
    if places.numel():
        wanted = max(1, int(share * advantages.numel()))
        # Drawn on the CPU, so that the same seed chooses the same tokens on every device.
        drawn = torch.randperm(places.numel(), generator=torch.Generator().manual_seed(seed))
        chosen[places[drawn[:wanted].to(places.device)]] = True
    return chosen


def treated_tokens(
    advantages: Tensor, logprobs: Tensor, eligible: Tensor, config: LossConfig, seed: int
) -> Tensor | None:
    """Choose the tokens of a mini-batch that `LossInputs.treated` marks.

    Args:
        advantages: of each response token of the mini-batch.
        logprobs: from before the update: the old ones, or the sampler's.
        eligible: tokens that may be chosen and enter the means (on-policy, not masked).
        config: says which method, and its numbers.
        seed: of Clip-Cov's draw, derived from run, step and mini-batch.

    Returns:
        A bool mask of the shape of `advantages`, or None where the method is off.
    """
    if config.covariance == "none":
        return None
    chosen = torch.zeros_like(eligible)
    gains, scores, share = advantages[eligible], logprobs[eligible], config.covariance_share
    if config.covariance == "kl-cov":
        chosen[eligible] = kl_cov_tokens(gains, scores, share)
    else:
        chosen[eligible] = clip_cov_tokens(gains, scores, share, config.covariance_bounds, seed)
    return chosen
