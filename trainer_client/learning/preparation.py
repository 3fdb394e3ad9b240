"""A loaded model made ready to be taught."""

import torch
from torch import nn
from transformers import PreTrainedModel

from trainer_client.config.model import ModelConfig


def prepare(model: PreTrainedModel, config: ModelConfig, device: torch.device) -> None:
    """Move a model to a device, in the precision of what is taught, in place.

    Dropout is switched off, gradient checkpointing on or off. Weights are fp32, but those that
    adapters will freeze are held in the compute type. Buffers keep their precision: rotary
    frequencies want fp32.

    Args:
        model: as loaded.
        config: compute type, adapters and gradient checkpointing are used.
        device: where to learn.
    """
    frozen = config.lora is not None and config.compute_dtype == "bfloat16"
    for parameter in model.parameters():
        parameter.data = parameter.data.to(device, torch.bfloat16 if frozen else torch.float32)
    nn.Module.to(model, device)
    for module in model.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0
        if isinstance(getattr(module, "attention_dropout", None), float):
            module.attention_dropout = 0.0  # type: ignore[assignment]
    # transformers recomputes only in training mode; without dropout it changes nothing else.
    nn.Module.train(model)
    if config.gradient_checkpointing:
        model.gradient_checkpointing_enable({"use_reentrant": False})
    else:
        model.gradient_checkpointing_disable()  # type: ignore[no-untyped-call]
