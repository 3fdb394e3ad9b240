"""The shipped presets: what they extend, how the published settings differ, and where they fit."""

import re

import pytest

from trainer_client.config.difference import differences
from trainer_client.config.loading import load, presets
from trainer_client.plan.hardware import GPUS, chosen_gpu
from trainer_client.plan.job import job
from trainer_client.plan.verdict import Plan
from trainer_client.plan.workload import Lengths

NOWHERE: dict[str, str] = {}
HARDWARE = re.compile(r"(\d+) GPUs? of (\d+) GB")
PLACED = [
    (preset.name, int(found[1]), float(found[2]))
    for preset in presets()
    if (found := HARDWARE.search(preset.summary))
]


def apart(one: str, other: str) -> dict[str, tuple]:
    return differences(load(one, environ=NOWHERE), load(other, environ=NOWHERE))


def test_the_two_published_settings_differ_in_exactly_these_fields():
    assert apart("azr-paper", "azr-master") == {
        "lengths.max_prompt_tokens": (6144, 5600),
        "propose.montecarlo_decoding.greedy": (False, True),
        "rewards.unlearnable": (0.0, -0.5),
        "loss.clip_high": (0.2, 0.28),
        "loss.dual_clip": (None, 3.0),
        "loss.entropy_coef": (0.001, 0.0),
        "optimizer.weight_decay": (0.01, 0.0),
    }


def test_the_papers_settings_are_what_a_run_gets_that_names_none():
    assert apart("azr-paper", "azr-selfplay") == {}


@pytest.mark.parametrize(
    ("name", "model"),
    [
        ("azr-3b-coder", "Qwen/Qwen2.5-Coder-3B"),
        ("azr-7b-coder", "Qwen/Qwen2.5-Coder-7B"),
        ("azr-7b", "Qwen/Qwen2.5-7B"),
        ("azr-14b-coder", "Qwen/Qwen2.5-Coder-14B"),
        ("azr-14b", "Qwen/Qwen2.5-14B"),
    ],
)
def test_the_papers_models_differ_from_its_settings_in_model_and_sampler_alone(name, model):
    found = apart("azr-paper", name)
    assert load(name, environ=NOWHERE).model.path == model
    assert {field for field in found if not field.startswith("sampler.")} <= {"model.path"}
    assert found["sampler.backend"] == ("transformers", "vllm")


def test_llama_is_seeded_with_64_tasks():
    found = apart("azr-7b", "azr-llama-3.1-8b")
    assert found["buffers.seed_target"] == (256, 64)
    assert set(found) == {"buffers.seed_target", "model.path"}


def test_qwen3_follows_the_later_code_without_its_slip():
    found = apart("azr-master", "azr-qwen3-4b")
    assert found["propose.montecarlo_decoding.greedy"] == (True, False)
    assert found["model.path"][1] == "Qwen/Qwen3-4B-Base"


def test_the_self_play_papers_variants_differ_in_one_field_each():
    assert apart("azr-3b-coder", "azr-3b-coder-frozen") == {"propose.train": (True, False)}
    assert apart("azr-3b-coder", "azr-3b-coder-balanced") == {
        "rewards.proposer": ("learnability", "balanced")
    }


@pytest.mark.parametrize("name", ["azr-3b-coder", "azr-7b-coder"])
def test_on_one_gpu_the_same_is_computed(name):
    for field in apart(name, f"{name}-1gpu"):
        assert field.startswith(("sampler.", "learner.packing", "optimizer.offload"))


@pytest.mark.parametrize(("name", "gpus", "memory"), PLACED)
def test_a_preset_fits_the_gpus_that_its_summary_names(name, gpus, memory):
    gpu = chosen_gpu("h100" if memory > 24 else "rtx4090", memory_gb=memory)
    plan = Plan(job(load(name, environ=NOWHERE), gpus, gpu), Lengths(1024, 1024, 8096), 1.0)
    assert plan.fits, plan.components


def test_presets_of_models_name_their_gpus():
    assert len(PLACED) >= 10
    assert {memory for _, _, memory in PLACED} <= {gpu.memory / 1e9 for gpu in GPUS.values()}
