"""The base model: its shape, its start, and that the warm-up teaches it, the same way each time."""

import pytest
import torch

from trainer_client.config.demo import WarmUpConfig
from trainer_client.prompts.prompt_set import PromptSet
from trainer_client.tiny.base import make_base
from trainer_client.tiny.curriculum import TASKS
from trainer_client.tiny.heldout import HeldOut
from trainer_client.tiny.model import fresh_model
from trainer_client.tiny.tokenizer import train_tokenizer
from trainer_client.tiny.warmup import muon_and_adamw

SHORT = WarmUpConfig(steps=10, batch_size=8, rising_steps=3)


@pytest.fixture(scope="module")
def tokenizer():
    return train_tokenizer(["abc"], PromptSet.load("tiny").markup.all_marks())


def test_the_model_is_the_study_s_and_its_keys_start_as_its_queries(tokenizer):
    model = fresh_model(tokenizer, 0)
    assert model.config.model_type == "qwen2"
    assert model.lm_head.weight is model.model.embed_tokens.weight
    assert 0.33e6 < sum(p.numel() for p in model.parameters()) < 0.36e6
    for layer in model.model.layers:
        assert torch.equal(layer.self_attn.k_proj.weight, layer.self_attn.q_proj.weight)


def test_random_weights_come_from_the_seed_and_leave_other_randomness_alone(tokenizer):
    state = torch.random.get_rng_state()
    first, again, other = (fresh_model(tokenizer, seed) for seed in (0, 0, 1))
    assert torch.equal(torch.random.get_rng_state(), state)
    assert torch.equal(first.lm_head.weight, again.lm_head.weight)
    assert not torch.equal(first.lm_head.weight, other.lm_head.weight)


def test_muon_has_the_matrices_and_adamw_the_rest(tokenizer, config):
    model = fresh_model(tokenizer, 0)
    muon, adamw = muon_and_adamw(model, config.optimizer, 0.02)
    matrices = [p for group in muon.param_groups for p in group["params"]]
    others = [p for group in adamw.param_groups for p in group["params"]]
    assert len(matrices) == 3 * 7
    assert len(matrices) + len(others) == len(list(model.parameters()))
    assert any(p is model.model.embed_tokens.weight for p in others)


def test_the_warm_up_teaches_and_repeats_itself_exactly(config):
    losses: list[float] = []
    first = make_base(config, HeldOut({}), SHORT, lambda step, loss: losses.append(loss))
    again = make_base(config, HeldOut({}), SHORT)
    assert len(losses) == SHORT.steps
    assert losses[-1] < 0.7 * losses[0]
    for one, other in zip(first.model.parameters(), again.model.parameters(), strict=True):
        assert torch.equal(one, other)


def test_another_seed_makes_another_base(config):
    few = SHORT.model_copy(update={"steps": 2})
    tasks = config.tasks.model_copy(update={"kinds": TASKS})
    other = config.model_copy(update={"seed": 1, "tasks": tasks})
    bases = [make_base(each, HeldOut({}), few).model.lm_head.weight for each in (config, other)]
    assert not torch.equal(*bases)
