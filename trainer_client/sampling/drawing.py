"""Drawing one token for each row from its logits, and the log-probability it was drawn with."""

import torch
from torch import Tensor

from trainer_client.sampling.sampler import Decoding


def draw(logits: Tensor, uniform: Tensor, decoding: Decoding) -> tuple[Tensor, Tensor]:
    """Draw by inverting the cumulative distribution.

    One uniform number decides a token, so that a row's tokens do not depend on which other rows
    stand beside it.

    Args:
        logits: [rows, tokens], fp32; -inf where a token must not be drawn.
        uniform: [rows], fp64 in [0, 1).
        decoding: temperature, top_k, top_p or greedy.

    Returns:
        Token ids and their log-probabilities under the distribution drawn from (for greedy: under
        the model's own), both [rows].
    """
    if decoding.greedy:
        tokens = logits.argmax(-1, keepdim=True)
        return tokens.squeeze(1), logits.log_softmax(-1).gather(1, tokens).squeeze(1)
    if decoding.temperature != 1.0:
        logits = logits / decoding.temperature
    if decoding.top_k or decoding.top_p < 1.0:
        logits = _truncated(logits, decoding.top_k, decoding.top_p)
    logprobs = logits.log_softmax(-1)
    cumulative = logprobs.double().exp_().cumsum_(-1)
    # Below the total even after rounding: then the first entry above it has a probability above 0.
    total = cumulative[:, -1]
    point = torch.minimum(uniform * total, torch.nextafter(total, torch.zeros_like(total)))
    tokens = torch.searchsorted(cumulative, point.unsqueeze(1), right=True)
    tokens.clamp_(max=logits.shape[1] - 1)  # only NaN logits come here; the caller finds them
    return tokens.squeeze(1), logprobs.gather(1, tokens).squeeze(1)


def _truncated(logits: Tensor, top_k: int, top_p: float) -> Tensor:
    """Set all but the `top_k` likeliest, then all outside the nucleus `top_p`, to -inf.

    The nucleus is the shortest list of likeliest tokens with a total of at least `top_p`; the
    likeliest token always stays.
    """
    ordered, order = logits.sort(-1, descending=True)
    drop = torch.zeros_like(ordered, dtype=torch.bool)
    if top_k:
        drop[:, top_k:] = True
    if top_p < 1.0:
        probabilities = ordered.masked_fill(drop, -torch.inf).softmax(-1)
        before = probabilities.cumsum(-1) - probabilities
        drop |= before >= top_p
        drop[:, 0] = False
    return logits.masked_fill(drop.scatter(1, order, drop), -torch.inf)
