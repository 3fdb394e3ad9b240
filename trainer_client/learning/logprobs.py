"""Log-probabilities and entropies from hidden states, a chunk of positions at a time.

Logits over a vocabulary of 152k tokens take 0.6 MB for each position in fp32. Here they exist for
one chunk only: the forward pass keeps none, and the backward pass computes each chunk's again.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional
from torch.utils.checkpoint import checkpoint

NEVER = -1e30
"""The logit of a suppressed token: probability 0, and finite, so that 0 times it is 0."""


@dataclass(frozen=True)
class Head:
    """The output projection, without the vocabulary rows that are never used.

    Attributes:
        weight: [kept tokens, hidden width].
        bias: [kept tokens] or None.
        suppressed: ids below the kept size that have probability 0, or None.
    """

    weight: Tensor
    bias: Tensor | None = None
    suppressed: Tensor | None = None


Scoring = Callable[[Tensor, Head, Tensor, Tensor | None, bool, bool], tuple[Tensor, Tensor | None]]
"""Computes one chunk, as `scores` does: a compiled one may take its place."""


def chunked_logprobs(
    hidden: Tensor,
    head: Head,
    targets: Tensor,
    chunk: int,
    *,
    temperature: Tensor | None = None,
    entropy: bool = True,
    entropy_gradient: bool = False,
    scoring: Scoring | None = None,
) -> tuple[Tensor, Tensor | None]:
    """Compute log p(target) at each position, and the entropy of the distribution.

    Args:
        hidden: [positions, width] from the decoder, after its last norm.
        head: the output projection.
        targets: [positions] token ids.
        chunk: positions whose logits exist at once.
        temperature: [positions] divides the logits; None: 1.
        entropy: whether entropies are wanted.
        entropy_gradient: whether they carry a gradient (an entropy bonus needs it).
        scoring: what computes one chunk; None: `scores`.

    Returns:
        Log-probabilities and entropies in nats, fp32, both [positions]; None for unwanted ones.
    """
    wanted = (entropy, entropy_gradient)
    one_chunk = scoring or scores
    parts: list[tuple[Tensor, Tensor | None]] = []
    recompute = torch.is_grad_enabled() and len(hidden) > chunk
    for start in range(0, max(len(hidden), 1), chunk):
        piece = slice(start, start + chunk)
        heat = temperature[piece] if temperature is not None else None
        arguments = (hidden[piece], head, targets[piece], heat, *wanted)
        parts.append(
            # A single chunk's logits may as well stay.
            checkpoint(one_chunk, *arguments, use_reentrant=False, preserve_rng_state=False)
            if recompute
            else one_chunk(*arguments)
        )
    entropies = [part[1] for part in parts if part[1] is not None]
    return torch.cat([part[0] for part in parts]), torch.cat(entropies) if entropies else None


def scores(
    hidden: Tensor,
    head: Head,
    targets: Tensor,
    temperature: Tensor | None,
    entropy: bool,
    entropy_gradient: bool,
) -> tuple[Tensor, Tensor | None]:
    """Compute one chunk; the softmax is in fp32 whatever the projection is computed in."""
    logits = functional.linear(hidden, head.weight, head.bias).float()
    if temperature is not None:
        logits = logits / temperature.unsqueeze(1)
    if head.suppressed is not None:
        logits = logits.index_fill(1, head.suppressed, NEVER)
    total = logits.logsumexp(-1)
    logprobs = logits.gather(1, targets.unsqueeze(1)).squeeze(1) - total
    if not entropy:
        return logprobs, None
    with torch.set_grad_enabled(entropy_gradient and torch.is_grad_enabled()):
        probabilities = (logits - total.unsqueeze(1)).exp()
        return logprobs, total - (probabilities * logits).sum(-1)
