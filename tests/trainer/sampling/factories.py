"""The samplers that must honour the contract: a factory for each, called with a model."""

import pytest
import torch
from transformers import PreTrainedModel

from tests.trainer.sampling.models import CPU, VOCABULARY
from tests.trainer.sampling.vllm_engines import NEEDS_VLLM, shared_sampler
from trainer_client.config.model import SamplerConfig
from trainer_client.sampling.sampler import Sampler
from trainer_client.sampling.transformers_sampler import TransformersSampler


def transformers_sampler(model: PreTrainedModel, budget: int = 65_536) -> Sampler:
    config = SamplerConfig(max_batch_tokens=budget)
    return TransformersSampler(model, VOCABULARY, config, device=CPU, dtype=torch.float32)


def small_batches(model: PreTrainedModel) -> Sampler:
    """Many sub-batches, two or three rows each."""
    return transformers_sampler(model, budget=96)


def vllm_sampler(model: PreTrainedModel) -> Sampler:
    """One engine for all tests, each of which finds its model's weights in it."""
    return shared_sampler(model)


FACTORIES = [
    transformers_sampler,
    small_batches,
    pytest.param(vllm_sampler, marks=NEEDS_VLLM),
]
