"""The decode loop of one sub-batch over a transformers model and its key-value cache."""

from dataclasses import dataclass

import torch
from torch import Tensor
from transformers import DynamicCache, PreTrainedModel

from trainer_client.sampling.batches import SubBatch
from trainer_client.sampling.cache import roomy_cache
from trainer_client.sampling.drawing import draw
from trainer_client.sampling.sampler import Decoding
from trainer_client.sampling.vocabulary import Vocabulary

DROP_SHARE = 0.1
"""Finished rows are dropped once they are this share: copying the rest costs about one step."""

FIRST_ROOM = 256
"""Response positions that the cache has room for at first; it grows by half when they are full."""

CHECK_STEPS_GPU = 8
"""On a GPU, finished rows are counted only every so many steps: counting waits for the device."""


@dataclass
class _Rows:
    """What is carried from token to token for the rows still going.

    Attributes:
        number: [rows] place of each row in the outputs.
        mask: [rows, longest] attention to prompt and response; None when nothing is padded.
        positions: [rows, 1] position id of the next token.
        uniform: [steps, rows] the random numbers.
        ended: [rows] has drawn an end token.
    """

    number: Tensor
    mask: Tensor | None
    positions: Tensor
    uniform: Tensor
    ended: Tensor

    def keep(self, rows: Tensor) -> None:
        """Drop all but these rows."""
        self.number = self.number[rows]
        self.mask = self.mask[rows] if self.mask is not None else None
        self.positions = self.positions[rows]
        self.uniform = self.uniform[:, rows]
        self.ended = self.ended[rows]


@torch.inference_mode()
def decode(
    model: PreTrainedModel,
    batch: SubBatch,
    decoding: Decoding,
    uniform: Tensor,
    vocabulary: Vocabulary,
) -> tuple[Tensor, Tensor]:
    """Sample a response for each row.

    Args:
        model: in eval mode, on its device.
        batch: the rows.
        decoding: how to draw.
        uniform: [steps, rows], fp64 in [0, 1), on the model's device: one number for each token.
        vocabulary: end ids and suppressed ids.

    Returns:
        Token ids and log-probabilities, [rows, steps]; what follows a row's first end token has no
        meaning.
    """
    device = model.device
    steps = uniform.shape[0]
    ends, scattered = vocabulary.ends(device), vocabulary.scattered(device)
    every = 1 if device.type == "cpu" else CHECK_STEPS_GPU
    tokens = torch.full((steps, len(batch.rows)), vocabulary.end_ids[0], device=device)
    logprobs = torch.zeros((steps, len(batch.rows)), device=device)
    cache, logits, rows = _read_prompts(model, batch, uniform, vocabulary.pad_id)
    width = cache.get_seq_length()
    for step in range(steps):
        # A copy in fp32 of the ids that may be drawn: the mask below must not reach the model's.
        scores = logits[:, : vocabulary.kept].float()
        if scattered is not None:
            scores = scores.index_fill(1, scattered, -torch.inf)
        drawn, logprob = draw(scores, rows.uniform[step], decoding)
        tokens[step, rows.number] = drawn
        logprobs[step, rows.number] = logprob
        if step + 1 == steps:
            break
        rows.ended |= ends[drawn]
        if step % every == 0:
            kept = (~rows.ended).nonzero().squeeze(1)
            if not len(kept):
                break
            if len(kept) <= (1 - DROP_SHARE) * len(drawn):
                rows.keep(kept)
                cache.batch_select_indices(kept)
                drawn = drawn[kept]
        output = model(
            input_ids=drawn.unsqueeze(1),
            attention_mask=rows.mask[:, : width + step + 1] if rows.mask is not None else None,
            position_ids=rows.positions,
            past_key_values=cache,
            use_cache=True,
        )
        logits = output.logits[:, -1]
        rows.positions = rows.positions + 1
    return tokens.t(), logprobs.t()


def _read_prompts(
    model: PreTrainedModel, batch: SubBatch, uniform: Tensor, pad_id: int
) -> tuple[DynamicCache, Tensor, _Rows]:
    """Run each different prompt once, left-padded, and repeat its cache for each of its rows."""
    device = model.device
    steps = uniform.shape[0]
    width = max(map(len, batch.prompts))
    blanks = [width - len(prompt) for prompt in batch.prompts]
    padded = [[pad_id] * blank + list(p) for blank, p in zip(blanks, batch.prompts, strict=True)]
    blank = torch.tensor(blanks, device=device).unsqueeze(1)
    columns = torch.arange(width + steps, device=device)
    mask = columns >= blank if any(blanks) else None
    positions = (columns[:width] - blank).clamp_(min=0)
    cache = roomy_cache(model.config, width + min(steps, FIRST_ROOM))
    logits = model(
        input_ids=torch.tensor(padded, device=device),
        attention_mask=mask[:, :width] if mask is not None else None,
        position_ids=positions,
        past_key_values=cache,
        use_cache=True,
        logits_to_keep=1,
    ).logits[:, -1]
    positions = positions[:, -1:] + 1
    if len(batch.prompts) < len(batch.sources):
        sources = torch.tensor(batch.sources, device=device)
        cache.batch_select_indices(sources)
        logits, positions = logits[sources], positions[sources]
        mask = mask[sources] if mask is not None else None
    count = len(batch.sources)
    number = torch.arange(count, device=device)
    ended = torch.zeros(count, dtype=torch.bool, device=device)
    return cache, logits, _Rows(number, mask, positions, uniform, ended)
