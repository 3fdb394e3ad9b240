"""What ranks say to each other, and how one's failure becomes everybody's."""

import os
from pathlib import Path

import pytest
import torch

from tests.trainer.parallel.together import on_ranks, start_ranks
from tests.trainer.sampling.models import CPU, VOCABULARY, FixedWeights, qwen
from trainer_client.config.model import SamplerConfig
from trainer_client.errors import OutOfMemory, PeerFailed, TrainerError, VerifierAway
from trainer_client.parallel.ranks import SINGLE, Ranks
from trainer_client.parallel.sharding import pattern
from trainer_client.parallel.shared_verifier import SharedVerifier
from trainer_client.sampling.parallel_sampler import ParallelSampler, shared
from trainer_client.sampling.sampler import Decoding
from trainer_client.sampling.transformers_sampler import TransformersSampler

PROMPTS = [(7, 8, 9)] * 3 + [(10 + place,) for place in range(4)]
HOW = Decoding(6)


def a_sampler(ranks: Ranks):
    """Built from a model without values, as a divided policy's is."""
    policy = qwen()
    own = TransformersSampler(
        pattern(policy), VOCABULARY, SamplerConfig(), device=CPU, dtype=torch.float32
    )
    sampler = shared(own, ranks)
    sampler.sync_weights(FixedWeights(policy, 2))
    return sampler


def answers(ranks: Ranks):
    sampler = a_sampler(ranks)
    return [
        sampler.generate(prompts, HOW, seed=5, version=2) for prompts in (PROMPTS, PROMPTS[:1], [])
    ]


class Session:
    """The first rank's verifier: it answers once and is then away."""

    def __init__(self) -> None:
        self.waited, self.asked = 0.0, []

    def greet(self) -> None:
        pass

    def submit(self, items):
        self.asked.append(items)
        return self

    def results(self):
        if len(self.asked) > 1:
            raise VerifierAway("nobody there")
        return [{"correct": True, "text": "\u2028 é"} for _ in self.asked[0]]

    def latencies(self):
        return {"p50_ms": 1.0}


def failure_of(work) -> TrainerError | None:
    try:
        work()
    except TrainerError as error:
        return error
    return None


def fail(ranks: Ranks, error: Exception):
    if ranks.rank == 1:
        raise error


def exchange(ranks: Ranks, folder: Path):
    """Try everything; a failure leaves the ranks able to go on together."""
    verifier = SharedVerifier(ranks, Session() if ranks.first else None)
    verifier.greet()
    broken = a_sampler(ranks)
    if ranks.rank == 1:
        broken._own._version = 9
    return {
        "said": ranks.everyone_says({"rank": ranks.rank, "text": "é" * ranks.rank}),
        "verdicts": verifier.results([{"a": 1}, {"b": 2}]),
        "away": failure_of(lambda: verifier.results([{"c": 3}])),
        "memory": failure_of(lambda: ranks.agree(lambda: fail(ranks, OutOfMemory("full")))),
        "crash": str(_crash_of(ranks)),
        "stale": failure_of(lambda: broken.generate(PROMPTS, HOW, seed=5, version=2)),
        "apart": failure_of(lambda: ranks.require_same("luck", lambda: str(ranks.rank))),
        "together": failure_of(lambda: ranks.require_same("luck", lambda: "same")),
        "stop": (ranks.any(ranks.rank == 1), ranks.any(False)),
        "answers": answers(ranks),
        "waited": verifier.waited > 0,
    }


def _crash_of(ranks: Ranks) -> Exception | None:
    try:
        ranks.agree(lambda: fail(ranks, RuntimeError("a crash")))
    except (PeerFailed, RuntimeError) as error:
        return error
    return None


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    return on_ranks(2, exchange, tmp_path_factory.mktemp("ranks"))


def test_what_each_says_all_know(found):
    for rank in found:
        assert rank["said"] == [{"rank": 0, "text": ""}, {"rank": 1, "text": "é"}]
        assert rank["stop"] == (True, False)


def test_the_first_ranks_verdicts_are_everybodys(found):
    for rank in found:
        assert [each["text"] for each in rank["verdicts"]] == ["\u2028 é"] * 2
        assert rank["waited"]


def test_what_one_rank_is_denied_all_are_by_the_same_name(found):
    for rank in found:
        assert isinstance(rank["away"], VerifierAway)
        assert isinstance(rank["memory"], OutOfMemory)
        assert "full" in str(rank["memory"])
        assert "a crash" in rank["crash"]
        assert "version 9" in str(rank["stale"])
    assert "rank 1" in str(found[0]["memory"])


def test_ranks_that_were_led_apart_notice(found):
    for rank in found:
        assert isinstance(rank["apart"], PeerFailed)
        assert rank["together"] is None


def test_responses_do_not_depend_on_how_many_ranks_share_the_prompts(found):
    alone = answers(SINGLE)
    assert len(set(alone[0])) > 3
    for rank in found:
        for mine, call in zip(rank["answers"], alone, strict=True):
            assert [each.tokens for each in mine] == [each.tokens for each in call]
            assert [each.finished for each in mine] == [each.finished for each in call]
            for one, other in zip(mine, call, strict=True):
                assert one.logprobs == pytest.approx(other.logprobs, abs=1e-5)
    assert found[0]["answers"] == found[1]["answers"]


def test_a_single_process_has_its_sampler_to_itself():
    assert not isinstance(a_sampler(SINGLE), ParallelSampler)


def vanish(ranks: Ranks, folder: Path):
    if ranks.rank == 1:
        os._exit(3)
    try:
        ranks.everyone_says("hello")
    finally:
        (folder / "noticed").touch()


def test_when_one_rank_dies_the_others_end(tmp_path):
    survivor, _ = start_ranks(2, vanish, tmp_path).processes
    survivor.join(240)
    assert survivor.exitcode == 1
    assert (tmp_path / "noticed").exists()
