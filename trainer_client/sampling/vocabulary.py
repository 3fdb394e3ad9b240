"""`Vocabulary`: what a sampler and a learner must know of the tokenizer."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor
from transformers import PreTrainedTokenizerBase


@dataclass(frozen=True)
class Vocabulary:
    """Token ids with a meaning of their own.

    Attributes:
        size: rows of the model's embedding, padding rows included.
        end_ids: any of these ends a response.
        pad_id: fills the blanks of a batch; never seen by attention.
        suppressed: ids that no response may hold, above all the rows by which an embedding is
            padded beyond its tokenizer; sampler and learner leave them out of the softmax.
    """

    size: int
    end_ids: tuple[int, ...]
    pad_id: int
    suppressed: tuple[int, ...] = ()

    @classmethod
    def of(cls, tokenizer: PreTrainedTokenizerBase, size: int, end_ids: Sequence[int] = ()) -> Self:
        """Read the facts from a tokenizer.

        Args:
            tokenizer: its end and padding tokens are taken; a missing padding token is replaced.
            size: rows of the model's embedding; ids from `len(tokenizer)` on are suppressed.
            end_ids: further ids that end a response (a chat model's end of turn).

        Raises:
            ValueError: no token ends a response, or the tokenizer is larger than the model.
        """
        known = len(tokenizer)
        if known > size:
            raise ValueError(f"the tokenizer has {known} tokens, the model's embedding {size} rows")
        own = tokenizer.eos_token_id
        ends = tuple(dict.fromkeys(([own] if isinstance(own, int) else []) + list(end_ids)))
        if not ends:
            raise ValueError("the tokenizer has no end token, and none was given")
        pad = tokenizer.pad_token_id
        return cls(size, ends, pad if isinstance(pad, int) else ends[0], tuple(range(known, size)))

    @property
    def kept(self) -> int:
        """All ids from this one on are suppressed: their logits need not be computed at all."""
        kept, suppressed = self.size, set(self.suppressed)
        while kept - 1 in suppressed:
            kept -= 1
        return kept

    def scattered(self, device: torch.device) -> Tensor | None:
        """Return the suppressed ids below `kept` for masking one by one; None: there are none."""
        below = [token for token in self.suppressed if token < self.kept]
        return torch.tensor(below, device=device) if below else None

    def ends(self, device: torch.device) -> Tensor:
        """Return a table: true at the ids that end a response."""
        table = torch.zeros(self.size, dtype=torch.bool, device=device)
        table[list(self.end_ids)] = True
        return table
