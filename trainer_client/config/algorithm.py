"""The estimator of advantages and the loss, with the means against entropy collapse."""

from typing import Literal

from pydantic import Field

from trainer_client.config.section import Section


class AdvantageConfig(Section):
    """From rewards to advantages; the equations are in `trainer_client.algorithms.advantages`."""

    estimator: Literal["trr++", "grpo", "rloo", "reinforce++"] = "trr++"
    """``trr++``: normalised within each task-role (AZR); ``grpo`` and ``rloo``: within each
    prompt's group; ``reinforce++``: over the whole batch."""
    weighting: Literal["token", "sequence"] = "token"
    """Whether long responses weigh more in mean and variance (AZR's code: token; the paper's
    formula: sequence)."""


class LossConfig(Section):
    """PPO and its variants; the equations are in `trainer_client.algorithms.loss`."""

    clip_low: float = Field(default=0.2, ge=0, le=1)
    """The ratio is clipped below 1 - clip_low."""
    clip_high: float = Field(default=0.2, ge=0)
    """The ratio is clipped above 1 + clip_high (clip-higher, DAPO: 0.28)."""
    dual_clip: float | None = Field(default=None, gt=1)
    """Bound of the loss where the advantage is negative (AZR master: 3.0); None: no bound."""
    entropy_coef: float = 0.0
    """Weight of the entropy bonus (AZR paper: 0.001)."""
    importance_cap: float | None = Field(default=None, gt=0)
    """Truncated importance sampling: cap of pi_learner / pi_sampler; None: off (the mismatch is
    logged in any case)."""
    covariance: Literal["none", "kl-cov", "clip-cov"] = "none"
    """Means against entropy collapse of arXiv 2505.22617, on the tokens of highest covariance."""
    covariance_share: float = Field(default=2e-4, gt=0, le=1)
    """Share of tokens that KL-Cov or Clip-Cov treats."""
    covariance_kl: float = Field(default=1.0, ge=0)
    """KL-Cov: weight of the KL penalty on those tokens."""
    covariance_bounds: tuple[float, float] = (1.0, 5.0)
    """Clip-Cov: covariances from which the tokens are drawn."""
    entropy_top_share: float = Field(default=1.0, gt=0, le=1)
    """Share of the tokens, those of highest entropy, that carry the gradient (arXiv 2506.01939:
    0.2; 1: all)."""
