"""Off-policy mixing: the shaped loss of demonstrations (LUFFY, arXiv 2504.14945).

A demonstration was not drawn from the policy. Its likelihood ratio takes the demonstrator's
probability as 1, so it is p = pi(y_t) itself, and is shaped by

    f(p) = p / (p + gamma)     loss_t = -A f(p)     d loss_t / d log p = -A p gamma / (p + gamma)^2

The factor is largest at p = gamma: tokens that the policy finds unlikely get a gradient that plain
importance sampling (factor p) would take from them. There is no clip.
"""

from torch import Tensor


def shaped(logprobs: Tensor, gamma: float) -> Tensor:
    """Return f(p) = p / (p + gamma) for p = exp(logprobs).

    Args:
        logprobs: log-probabilities by the present policy; the gradient flows through them.
        gamma: above 0; small values weigh unlikely tokens more.
    """
    probabilities = logprobs.float().exp()
    return probabilities / (probabilities + gamma)


def demonstration_loss(logprobs: Tensor, advantages: Tensor, gamma: float) -> Tensor:
    """Return -A f(p) per token."""
    return -advantages * shaped(logprobs, gamma)
