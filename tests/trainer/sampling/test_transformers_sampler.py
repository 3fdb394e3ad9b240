"""What is particular to the sampler over a transformers model."""

import pytest
import torch

from tests.trainer.sampling.factories import transformers_sampler
from tests.trainer.sampling.models import CPU, VOCABULARY, llama, qwen, response_logprobs
from tests.trainer.sampling.test_contract import some_prompts
from trainer_client.config.model import SamplerConfig
from trainer_client.errors import OutOfMemory, SamplerCrashed, StaleWeights
from trainer_client.sampling import decode
from trainer_client.sampling.sampler import Decoding
from trainer_client.sampling.transformers_sampler import TransformersSampler

# Prompts that occur several times, side by side and apart.
PROMPTS = [*some_prompts(10), *some_prompts(10), *([(9, 9, 9)] * 20)]


@pytest.mark.parametrize("budget", [64, 200, 1000])
def test_sub_batches_change_no_response(budget):
    model = qwen()
    whole = transformers_sampler(model).generate(PROMPTS, Decoding(16), seed=3, version=0)
    parts = transformers_sampler(model, budget).generate(PROMPTS, Decoding(16), seed=3, version=0)
    assert [each.tokens for each in parts] == [each.tokens for each in whole]


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_dropping_finished_rows_changes_no_response(monkeypatch, share):
    sampler = transformers_sampler(qwen())
    expected = sampler.generate(PROMPTS, Decoding(16), seed=3, version=0)
    monkeypatch.setattr(decode, "DROP_SHARE", share)
    found = sampler.generate(PROMPTS, Decoding(16), seed=3, version=0)
    assert [each.tokens for each in found] == [each.tokens for each in expected]


def test_the_cache_may_grow_while_decoding(monkeypatch):
    sampler = transformers_sampler(qwen())
    expected = sampler.generate(PROMPTS, Decoding(40), seed=3, version=0)
    monkeypatch.setattr(decode, "FIRST_ROOM", 2)
    found = sampler.generate(PROMPTS, Decoding(40), seed=3, version=0)
    assert [each.tokens for each in found] == [each.tokens for each in expected]


def test_other_architectures_decode_as_well():
    model = llama()
    found = transformers_sampler(model).generate(PROMPTS, Decoding(12), seed=0, version=0)
    for prompt, each in zip(PROMPTS, found, strict=True):
        expected = response_logprobs(model, prompt, each.tokens)
        torch.testing.assert_close(torch.tensor(each.logprobs), expected, atol=1e-4, rtol=0)


def test_the_copy_has_its_own_precision_and_keeps_ties_and_the_original():
    model = qwen()
    config = SamplerConfig()
    sampler = TransformersSampler(model, VOCABULARY, config, device=CPU, dtype=torch.bfloat16)
    found = sampler.generate(PROMPTS, Decoding(8), seed=0, version=0)
    own = sampler._model
    assert {parameter.dtype for parameter in own.parameters()} == {torch.bfloat16}
    assert own.lm_head.weight is own.model.embed_tokens.weight
    assert own.model.rotary_emb.inv_freq.dtype == torch.float32
    assert {parameter.dtype for parameter in model.parameters()} == {torch.float32}
    values = torch.tensor([value for each in found for value in each.logprobs])
    assert bool(values.isfinite().all())


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"),
        RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory"),
    ],
)
def test_a_full_device_names_the_settings_to_lower(monkeypatch, error):
    sampler = transformers_sampler(qwen())

    def full(*_args, **_kwargs):
        raise error

    monkeypatch.setattr(sampler._model, "forward", full)
    with pytest.raises(OutOfMemory, match=r"sampler\.max_batch_tokens.*lengths\.max_prompt_tokens"):
        sampler.generate([(7,)], Decoding(4), seed=0, version=0)


def test_other_failures_are_not_called_a_lack_of_memory(monkeypatch):
    sampler = transformers_sampler(qwen())

    def broken(*_args, **_kwargs):
        raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")

    monkeypatch.setattr(sampler._model, "forward", broken)
    with pytest.raises(RuntimeError, match="mat1 and mat2"):
        sampler.generate([(7,)], Decoding(4), seed=0, version=0)


def test_damaged_weights_are_an_error_and_not_a_response():
    model = qwen()
    with torch.no_grad():
        model.model.norm.weight.fill_(torch.nan)
    with pytest.raises(SamplerCrashed, match="not finite"):
        transformers_sampler(model).generate([(7, 8)], Decoding(4), seed=0, version=0)


def test_a_closed_sampler_holds_no_weights_and_never_generates():
    sampler = transformers_sampler(qwen())
    for _ in range(2):
        sampler.close()
    assert sum(parameter.numel() for parameter in sampler._model.parameters()) == 0
    with pytest.raises(StaleWeights):
        sampler.generate([(7,)], Decoding(4), seed=0, version=0)
