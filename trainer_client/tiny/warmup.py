"""The warm-up: a minute of supervised learning that turns random weights into a base model.

Matrices learn by Muon, the rest (embedding, norms, biases) by AdamW. The learning rates fall to
zero, so that the base is annealed: what self-play gains afterwards is not what a lower learning
rate alone would have given.
"""

from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from typing import Literal

import torch
from torch import nn
from torch.optim import AdamW, Muon, Optimizer
from transformers import PreTrainedModel

from trainer_client.config import RunConfig
from trainer_client.config.demo import WarmUpConfig
from trainer_client.config.model import LearnerConfig, ModelConfig, OptimizerConfig
from trainer_client.learning.example import Example
from trainer_client.learning.learner import Learner
from trainer_client.sampling.vocabulary import Vocabulary

OnStep = Callable[[int, float], None]
"""Told how many steps are done and the loss of the last."""

Dtype = Literal["float32", "bfloat16"]
CPU = torch.device("cpu")


def warm_up(
    model: PreTrainedModel,
    vocabulary: Vocabulary,
    examples: Iterable[Example],
    settings: WarmUpConfig,
    on_step: OnStep = lambda step, loss: None,
    *,
    device: torch.device = CPU,
    compute_dtype: Dtype = "float32",
) -> None:
    """Teach ``model``, in place, from a stream of examples; it is left on the CPU.

    Raises:
        NonFiniteLoss: the loss is not a finite number.
    """
    learner = Learner(
        model,
        vocabulary,
        _configuration(settings, compute_dtype),
        device=device,
        total_steps=settings.steps,
        optimizers=lambda model, config: muon_and_adamw(model, config, settings.matrix_rate),
    )
    stream = iter(examples)
    for step in range(1, settings.steps + 1):
        metrics = learner.sft_update(list(islice(stream, settings.batch_size)))
        on_step(step, metrics["loss/total"])
    nn.Module.to(model, device=CPU)
    nn.Module.eval(model)


def muon_and_adamw(
    model: nn.Module, config: OptimizerConfig, matrix_rate: float
) -> Sequence[Optimizer]:
    """Give the matrices inside the network to Muon and everything else to AdamW."""
    matrices: list[nn.Parameter] = []
    others: list[nn.Parameter] = []
    for name, parameter in model.named_parameters():
        is_matrix = parameter.ndim == 2 and "embed" not in name
        (matrices if is_matrix else others).append(parameter)
    decay = config.weight_decay
    return [
        Muon(matrices, lr=matrix_rate, weight_decay=decay),
        AdamW(others, lr=config.lr, betas=config.betas, weight_decay=decay),
    ]


def _configuration(settings: WarmUpConfig, compute_dtype: Dtype) -> RunConfig:
    """Return what the learner reads of a configuration."""
    return RunConfig(
        model=ModelConfig(compute_dtype=compute_dtype, gradient_checkpointing=False),
        learner=LearnerConfig(micro_batch_tokens=settings.micro_batch_tokens),
        optimizer=OptimizerConfig(
            lr=settings.other_rate,
            betas=(0.9, 0.99),
            weight_decay=0.0,
            warmup_steps=settings.rising_steps,
            schedule="linear",
        ),
    )
