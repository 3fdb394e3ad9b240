"""Real vLLM engines for tests: what they need, how they are set, and one that tests share."""

import os
from functools import cache
from importlib.util import find_spec
from typing import Any

import pytest
import torch
from transformers import PreTrainedModel

from tests.trainer.sampling.models import CPU, VOCABULARY, FixedWeights, qwen
from trainer_client.config.model import SamplerConfig
from trainer_client.sampling.vllm_sampler import VllmSampler

PRESENT = find_spec("vllm") is not None
NEEDS_VLLM = [
    pytest.mark.vllm,
    # A start takes half a minute on two free cores, and minutes on busy ones.
    pytest.mark.timeout(1200),
    pytest.mark.skipif(
        not PRESENT and os.environ.get("AZR_TEST_VLLM") != "1", reason="vllm is not installed"
    ),
]
SETTINGS: dict[str, Any] = {
    "backend": "vllm",
    "dtype": "float32",
    "kv_cache_gib": 1 / 16,
    "max_num_seqs": 64,
    "max_num_batched_tokens": 512,
    "enforce_eager": True,
}
"""An engine for tiny models on a CPU."""


def a_vllm_sampler(model: PreTrainedModel, **changes: Any) -> VllmSampler:
    config = SamplerConfig(**{**SETTINGS, **changes})
    return VllmSampler(model, VOCABULARY, config, device=CPU, dtype=torch.float32)


@cache
def _shared() -> VllmSampler:
    return a_vllm_sampler(qwen())


def shared_sampler(model: PreTrainedModel) -> VllmSampler:
    """Return the engine that all tests share, awake and with these weights as version 0."""
    sampler = _shared()
    sampler.wake()
    sampler.sync_weights(FixedWeights(model, 0))
    return sampler


def close_shared() -> None:
    """End it, if it was ever started."""
    if _shared.cache_info().currsize:
        _shared().close()
        _shared.cache_clear()
