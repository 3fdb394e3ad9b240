"""Attention of one new token over the cache, as two batched products: the CPU's faster way.

torch's fused attention is made for long queries; with one query position it takes about twice the
time of the products it consists of. It stays in use for prompts and on GPUs.
"""

from typing import Any

import torch
from torch import Tensor, nn
from transformers import AttentionInterface, AttentionMaskInterface, PreTrainedModel
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import sdpa_mask

NAME = "single_query"
"""The implementation's name in transformers' registry."""


def single_query_attention(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    scaling: float | None = None,
    **others: Any,
) -> tuple[Tensor, None]:
    """Attend; the signature is transformers'.

    Args:
        module: the attention layer.
        query: [rows, heads, positions, width].
        key: [rows, key heads, length, width].
        value: as `key`.
        attention_mask: [rows, 1, positions, length], true where attention is allowed, or None.
        scaling: of the scores; None: the inverse root of the width.
        others: passed on to torch's fused attention.

    Returns:
        [rows, positions, heads, width], and no weights.
    """
    if query.shape[2] > 1:
        result: tuple[Tensor, None] = sdpa_attention_forward(
            module, query, key, value, attention_mask, scaling=scaling, **others
        )
        return result
    rows, heads, _, width = query.shape
    shared = key.shape[1]
    # Heads that share a key head are the rows of one product.
    queries = query.reshape(rows * shared, heads // shared, width)
    scores = torch.bmm(queries, key.flatten(0, 1).transpose(1, 2))
    scores *= width**-0.5 if scaling is None else scaling
    if attention_mask is not None:
        scores.view(rows, heads, -1).masked_fill_(~attention_mask[:, 0], -torch.inf)
    weights = scores.softmax(-1, dtype=torch.float32).to(value.dtype)
    return torch.bmm(weights, value.flatten(0, 1)).view(rows, 1, heads, width), None


def use_single_query_attention(model: PreTrainedModel) -> None:
    """Switch a model that uses torch's fused attention, and leave others as they are."""
    if model.config._attn_implementation == "sdpa":
        AttentionInterface.register(NAME, single_query_attention)
        AttentionMaskInterface.register(NAME, sdpa_mask)
        model.set_attn_implementation(NAME)
