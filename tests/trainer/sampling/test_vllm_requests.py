"""Requests to vLLM and its outputs."""

import math
from types import SimpleNamespace

import pytest

from tests.trainer.sampling.models import VOCABULARY
from trainer_client.errors import ConfigError, SamplerCrashed
from trainer_client.sampling.sampler import Completion, Decoding
from trainer_client.sampling.vllm_requests import barred, completions, parameters
from trainer_client.sampling.vocabulary import Vocabulary

FOUR = Decoding(4)


def request(decoding=FOUR, seed=1, place=0):
    return parameters(decoding, VOCABULARY, barred(VOCABULARY), seed=seed, place=place)


def output(tokens, logprobs, reason="length"):
    flat = SimpleNamespace(logprobs=logprobs, start_indices=range(len(logprobs)))
    one = SimpleNamespace(token_ids=tokens, logprobs=flat, finish_reason=reason)
    return SimpleNamespace(outputs=[one])


def test_seeds_follow_from_the_calls_seed_and_the_place_alone():
    seeds = [request(seed=seed, place=place)["seed"] for seed in (1, 2) for place in (0, 1)]
    assert len(set(seeds)) == 4
    assert request(seed=1, place=1)["seed"] == seeds[1]
    assert all(0 <= seed < 2**63 for seed in seeds)


def test_only_the_vocabularys_ends_end_a_response():
    found = request()
    assert found["ignore_eos"] is True
    assert found["stop_token_ids"] == list(VOCABULARY.end_ids)


def test_suppressed_ids_have_no_chance_at_any_temperature():
    bias = request(Decoding(4, temperature=1000.0))["logit_bias"]
    assert set(bias) == set(VOCABULARY.suppressed)
    assert all(value / 1000.0 < -1e9 for value in bias.values())
    assert barred(Vocabulary(8, end_ids=(1,), pad_id=0)) is None


def test_more_suppressed_ids_than_vllm_can_be_told_are_refused():
    padded = Vocabulary(4096, end_ids=(1,), pad_id=0, suppressed=tuple(range(3000, 4096)))
    with pytest.raises(ConfigError, match=r"sampler\.backend: vllm can suppress 1024"):
        barred(padded)


def test_greedy_ignores_what_narrows_the_distribution():
    found = request(Decoding(4, temperature=0.3, top_p=0.5, top_k=2, greedy=True))
    assert (found["temperature"], found["top_p"], found["top_k"]) == (0.0, 1.0, 0)


def test_outputs_become_completions():
    found = completions([output([7, 8], [-1.0, -2.0]), output([7, 2], [-1.0, -0.5], "stop")],
                        VOCABULARY)  # fmt: skip
    assert found == [
        Completion((7, 8), (-1.0, -2.0), False),
        Completion((7, 2), (-1.0, -0.5), True),
    ]


def test_an_end_token_at_the_very_limit_finishes_the_response():
    assert completions([output([7, 1], [-1.0, -1.0])], VOCABULARY)[0].finished


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        (output([7], [math.nan]), "not finite"),
        (output([7, 8], [-1.0]), "not finite"),
        (output([7], [-1.0], "abort"), "'abort'"),
    ],
)
def test_what_vllm_did_not_carry_out_is_an_error_and_not_a_response(broken, message):
    with pytest.raises(SamplerCrashed, match=message):
        completions([broken], VOCABULARY)
