"""What every sampler must do; a new one joins by its factory in `factories.FACTORIES`."""

import random

import pytest
import torch

from tests.trainer.sampling.factories import FACTORIES
from tests.trainer.sampling.models import (
    VOCABULARY,
    FixedWeights,
    qwen,
    response_logits,
    response_logprobs,
)
from trainer_client.errors import ConfigError, StaleWeights
from trainer_client.sampling.sampler import Decoding

TOKENS = 12


def some_prompts(count: int = 24) -> list[tuple[int, ...]]:
    rng = random.Random(7)
    return [tuple(rng.randrange(6, 46) for _ in range(rng.randint(1, 20))) for _ in range(count)]


@pytest.fixture(scope="module")
def model():
    return qwen()


@pytest.fixture(params=FACTORIES, ids=lambda factory: factory.__name__)
def sampler(request, model):
    return request.param(model)


def test_a_response_ends_with_the_first_end_token_or_at_the_limit(sampler):
    found = sampler.generate(some_prompts(), Decoding(TOKENS), seed=1, version=0)
    assert {each.finished for each in found} == {True, False}
    for each in found:
        ends = [token in VOCABULARY.end_ids for token in each.tokens]
        assert len(each.logprobs) == len(each.tokens)
        assert not any(ends[:-1])
        assert ends[-1] == each.finished
        assert each.finished or len(each.tokens) == TOKENS


def test_the_limit_may_be_one_token(sampler):
    found = sampler.generate(some_prompts(), Decoding(1), seed=1, version=0)
    assert all(len(each.tokens) == 1 for each in found)


def test_suppressed_ids_are_never_drawn(sampler):
    hot = Decoding(TOKENS, temperature=2.0)
    found = sampler.generate(some_prompts(), hot, seed=1, version=0)
    drawn = {token for each in found for token in each.tokens}
    assert len(drawn) > 20
    assert not drawn & set(VOCABULARY.suppressed)


@pytest.mark.parametrize("temperature", [1.0, 0.6])
def test_logprobs_are_those_of_a_forward_pass_over_the_whole_response(sampler, model, temperature):
    prompts = some_prompts()
    decoding = Decoding(TOKENS, temperature=temperature)
    for prompt, each in zip(
        prompts, sampler.generate(prompts, decoding, seed=2, version=0), strict=True
    ):
        expected = response_logprobs(model, prompt, each.tokens, temperature)
        torch.testing.assert_close(torch.tensor(each.logprobs), expected, atol=1e-4, rtol=0)


def test_logprobs_under_top_k_and_top_p_are_those_of_the_narrowed_distribution(sampler, model):
    prompts = some_prompts()
    found = sampler.generate(prompts, Decoding(TOKENS, top_k=3), seed=2, version=0)
    for prompt, each in zip(prompts, found, strict=True):
        best = response_logits(model, prompt, each.tokens).topk(3)
        assert all(
            token in allowed.tolist()
            for token, allowed in zip(each.tokens, best.indices, strict=True)
        )
        place = (best.indices == torch.tensor(each.tokens).unsqueeze(1)).int().argmax(1)
        expected = best.values.log_softmax(-1).gather(1, place.unsqueeze(1)).squeeze(1)
        torch.testing.assert_close(torch.tensor(each.logprobs), expected, atol=1e-4, rtol=0)


def test_greedy_takes_the_likeliest_token_and_records_it_at_temperature_one(sampler, model):
    prompts = some_prompts()
    decoding = Decoding(TOKENS, temperature=0.3, greedy=True)
    for prompt, each in zip(
        prompts, sampler.generate(prompts, decoding, seed=2, version=0), strict=True
    ):
        logits = response_logits(model, prompt, each.tokens)
        assert logits.argmax(-1).tolist() == list(each.tokens)
        expected = response_logprobs(model, prompt, each.tokens)
        torch.testing.assert_close(torch.tensor(each.logprobs), expected, atol=1e-4, rtol=0)


def test_the_same_seed_repeats_a_call_and_another_does_not(sampler):
    prompts = some_prompts()
    first = sampler.generate(prompts, Decoding(TOKENS), seed=5, version=0)
    assert sampler.generate(prompts, Decoding(TOKENS), seed=5, version=0) == first
    assert sampler.generate(prompts, Decoding(TOKENS), seed=6, version=0) != first


def test_the_callers_random_state_is_neither_read_nor_changed(sampler):
    torch.manual_seed(1)
    first = sampler.generate(some_prompts(), Decoding(TOKENS), seed=5, version=0)
    torch.manual_seed(2)
    before = torch.get_rng_state()
    assert sampler.generate(some_prompts(), Decoding(TOKENS), seed=5, version=0) == first
    assert torch.equal(torch.get_rng_state(), before)


def test_no_prompts_give_no_responses(sampler):
    assert sampler.generate([], Decoding(TOKENS), seed=0, version=0) == []


def test_an_empty_prompt_is_refused(sampler):
    with pytest.raises(ValueError, match="empty prompt"):
        sampler.generate([(7,), ()], Decoding(TOKENS), seed=0, version=0)


def test_a_prompt_is_answered_the_same_beside_longer_ones(sampler):
    short, long = (7, 8, 9), tuple(range(6, 46))
    greedy = Decoding(TOKENS, greedy=True)
    alone = sampler.generate([short], greedy, seed=0, version=0)[0]
    beside = sampler.generate([long, short, long], greedy, seed=0, version=0)[1]
    assert beside.tokens == alone.tokens
    assert beside.logprobs == pytest.approx(alone.logprobs, abs=1e-4)


def test_equal_prompts_get_responses_of_their_own(sampler):
    found = sampler.generate([(7, 8, 9)] * 16, Decoding(TOKENS), seed=0, version=0)
    assert len({each.tokens for each in found}) > 8


def test_weights_of_another_version_are_refused(sampler):
    with pytest.raises(StaleWeights, match="version 0, not 1"):
        sampler.generate([(7,)], Decoding(TOKENS), seed=0, version=1)


def test_a_sync_takes_over_weights_and_version(sampler):
    other = qwen(seed=1)
    prompts = some_prompts()
    greedy = Decoding(TOKENS, greedy=True)
    before = sampler.generate(prompts, greedy, seed=0, version=0)
    sampler.sync_weights(FixedWeights(other, 3))
    assert sampler.version == 3
    with pytest.raises(StaleWeights):
        sampler.generate(prompts, greedy, seed=0, version=0)
    after = sampler.generate(prompts, greedy, seed=0, version=3)
    assert after != before
    for prompt, each in zip(prompts, after, strict=True):
        assert response_logits(other, prompt, each.tokens).argmax(-1).tolist() == list(each.tokens)


def test_the_policys_later_changes_do_not_reach_the_sampler_without_a_sync(sampler):
    policy = qwen(seed=1)
    sampler.sync_weights(FixedWeights(policy, 1))
    before = sampler.generate([(7, 8)], Decoding(TOKENS, greedy=True), seed=0, version=1)
    with torch.no_grad():
        for parameter in policy.parameters():
            parameter.zero_()
    assert sampler.generate([(7, 8)], Decoding(TOKENS, greedy=True), seed=0, version=1) == before


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda names: names.pop("model.norm.weight"), "lack 1: .*model.norm.weight"),
        (lambda names: names.update(extra=torch.zeros(1)), "no parameter 'extra'"),
        (lambda names: names.update({"model.norm.weight": torch.zeros(3)}), "model.norm.weight"),
    ],
    ids=["missing", "unknown", "shape"],
)
def test_a_sync_that_does_not_fit_names_the_parameter_and_leaves_no_version(
    sampler, model, change, message
):
    class Changed(FixedWeights):
        def named_tensors(self):
            names = dict(super().named_tensors())
            change(names)
            yield from names.items()

    with pytest.raises(ConfigError, match=message):
        sampler.sync_weights(Changed(model, 1))
    for version in (0, 1):
        with pytest.raises(StaleWeights):
            sampler.generate([(7,)], Decoding(TOKENS), seed=0, version=version)
    sampler.sync_weights(FixedWeights(model, 1))
    assert sampler.generate([(7,)], Decoding(TOKENS), seed=0, version=1)


def test_a_sleeping_sampler_neither_generates_nor_takes_weights(sampler, model):
    before = sampler.generate([(7, 8)], Decoding(TOKENS), seed=0, version=0)
    sampler.sleep()
    with pytest.raises(StaleWeights, match="asleep"):
        sampler.generate([(7, 8)], Decoding(TOKENS), seed=0, version=0)
    with pytest.raises(StaleWeights, match="asleep"):
        sampler.sync_weights(FixedWeights(model, 1))
    sampler.wake()
    assert sampler.version == 0
    assert sampler.generate([(7, 8)], Decoding(TOKENS), seed=0, version=0) == before
