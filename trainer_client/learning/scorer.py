"""`Scorer`: a causal language model that gives log-probabilities of responses instead of logits."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from trainer_client.errors import ConfigError
from trainer_client.learning.logprobs import Head, chunked_logprobs
from trainer_client.sampling.vocabulary import Vocabulary

RESCALED_LOGITS = (
    "final_logit_softcapping",
    "logit_scale",
    "logits_scaling",
    "lm_head_multiplier",
    "output_multiplier_scale",
)
"""Settings of architectures that do something to the logits after the output projection."""


@dataclass(frozen=True)
class Row:
    """Tokens of one sample.

    Attributes:
        prompt: token ids, at least one.
        response: token ids, at least one.
        temperature: divides the logits.
    """

    prompt: tuple[int, ...]
    response: tuple[int, ...]
    temperature: float = 1.0

    @property
    def length(self) -> int:
        """Tokens of both."""
        return len(self.prompt) + len(self.response)


class Scorer(nn.Module):
    """The model with the projection in chunks; all parameters are used within one forward call.

    Rows are padded on the right: attention is causal, so a token never sees the padding that
    follows its row, and no mask is needed.
    """

    def __init__(self, model: PreTrainedModel, vocabulary: Vocabulary, chunk: int) -> None:
        """Check that the model's logits are a projection of its last hidden states.

        Raises:
            ConfigError: they are not, so that chunked log-probabilities would be wrong.
        """
        super().__init__()
        _require_plain_logits(model)
        self.model = model
        self._vocabulary = vocabulary
        self._chunk = chunk

    def forward(
        self, rows: Sequence[Row], *, entropy: bool = True, entropy_gradient: bool = False
    ) -> tuple[Tensor, Tensor | None]:
        """Return log-probability and entropy of every response token, row after row, flat."""
        device = self.model.device
        width = max(row.length for row in rows)
        pad = self._vocabulary.pad_id
        tokens = torch.tensor(
            [[*row.prompt, *row.response, *[pad] * (width - row.length)] for row in rows],
            device=device,
        )
        predicting, heat = _places(rows, width)
        places = predicting.to(device)
        hidden = _hidden(self.model, tokens)
        return chunked_logprobs(
            hidden.flatten(0, 1)[places],
            self._head(device),
            tokens.flatten()[places + 1],
            self._chunk,
            temperature=heat.to(device) if heat is not None else None,
            entropy=entropy,
            entropy_gradient=entropy_gradient,
        )

    def _head(self, device: torch.device) -> Head:
        projection = _projection(self.model)
        kept = self._vocabulary.kept
        bias: Tensor | None = projection.bias
        return Head(
            projection.weight[:kept],
            bias[:kept] if bias is not None else None,
            self._vocabulary.scattered(device),
        )


def _places(rows: Sequence[Row], width: int) -> tuple[Tensor, Tensor | None]:
    """Return the flat positions that predict a response token, and their temperatures if any."""
    starts = [index * width + len(row.prompt) - 1 for index, row in enumerate(rows)]
    sizes = torch.tensor([len(row.response) for row in rows])
    ends = sizes.cumsum(0)
    offsets = torch.tensor(starts) - (ends - sizes)
    places = torch.arange(int(ends[-1])) + offsets.repeat_interleave(sizes)
    if all(row.temperature == 1.0 for row in rows):
        return places, None
    return places, torch.tensor([row.temperature for row in rows]).repeat_interleave(sizes)


def _hidden(model: PreTrainedModel, tokens: Tensor) -> Tensor:
    """Return the decoder's last hidden states, [rows, positions, width]."""
    decoder = model.get_decoder()  # type: ignore[no-untyped-call]
    hidden: Tensor = decoder(input_ids=tokens, use_cache=False).last_hidden_state
    return hidden


def _projection(model: PreTrainedModel) -> nn.Linear:
    """Return the output projection; a tied one shares its weight with the input embedding."""
    projection = model.get_output_embeddings()  # type: ignore[no-untyped-call]
    if not isinstance(projection, nn.Linear):
        raise ConfigError(f"model.path: {type(model).__name__} has no linear output projection")
    return projection


def _require_plain_logits(model: PreTrainedModel) -> None:
    config = model.config.get_text_config()
    for name in RESCALED_LOGITS:
        value = getattr(config, name, None)
        if value not in (None, 1, 1.0):
            raise ConfigError(
                f"model.path: {type(model).__name__} changes its logits after the output "
                f"projection ({name} = {value}), which the learner does not support"
            )
    with torch.no_grad():
        probe = torch.arange(2, device=model.device).unsqueeze(0)
        own = model(input_ids=probe, use_cache=False).logits
        chunked = _projection(model)(_hidden(model, probe))
        if not torch.allclose(chunked, own, rtol=1e-5, atol=1e-6):
            raise ConfigError(
                f"model.path: the logits of {type(model).__name__} are not the projection of its "
                "decoder's last hidden states, which the learner does not support"
            )
