"""torch.compile on the parts of the learner where it pays: decoder layers and the softmax."""

import torch
from transformers import PreTrainedModel

from trainer_client.errors import ConfigError
from trainer_client.learning.logprobs import Scoring, scores


def compile_layers(model: PreTrainedModel) -> None:
    """Let each decoder layer be compiled when it is first called, for batches of any size.

    Nothing is renamed, and copies of the model are not compiled.

    Raises:
        ConfigError: the model does not name its layers.
    """
    names = set(getattr(model, "_no_split_modules", None) or ())
    layers = [module for module in model.modules() if type(module).__name__ in names]
    if not layers:
        raise ConfigError(
            f"learner.compile: {type(model).__name__} does not name its layers; set it to false"
        )
    for layer in layers:
        layer.compile(dynamic=True)


def compiled_scores() -> Scoring:
    """Return `scores` as one compiled function: one pass over a chunk's logits for several."""
    compiled: Scoring = torch.compile(scores, dynamic=True)
    return compiled
