"""The verdict: what fits, and advice that, followed, makes it fit."""

from dataclasses import replace

import pytest

from trainer.plan.jobs import plan_of
from trainer_client.errors import ConfigError
from trainer_client.plan.hardware import GPUS, chosen_gpu
from trainer_client.plan.job import job
from trainer_client.plan.memory import Moment
from trainer_client.plan.verdict import advice, room, smallest


@pytest.mark.parametrize(
    ("preset", "gpus"),
    [("azr-3b-coder", 2), ("azr-7b-coder", 4), ("azr-llama-3.1-8b", 4), ("azr-14b-coder", 8)],
)
def test_the_published_numbers_of_80_gb_gpus_are_enough(preset, gpus):
    assert plan_of(preset, gpus=gpus).fits


def test_7b_does_not_fit_one_gpu_of_80_gb_and_is_told_how_many_it_needs():
    plan = plan_of("azr-7b-coder")
    assert not plan.fits
    assert plan.peak is Moment.LEARN
    assert plan.used(Moment.LEARN) > 122e9
    assert smallest(plan) == 4
    assert plan_of("azr-7b-coder", gpus=4).fits
    assert not plan_of("azr-7b-coder", gpus=2).fits


def test_advice_followed_makes_it_fit():
    for memory in (40e9, 60e9, 100e9, 150e9):
        gpu = replace(GPUS["h100"], memory=memory)
        plan = plan_of("azr-7b-coder", "model.gradient_checkpointing=false", gpu=gpu)
        assert not plan.fits
        changes = advice(plan)
        assert changes
        gpus = next((int(c.split()[1]) for c in changes if c.startswith("--gpus")), 1)
        settings = [each for each in changes if not each.startswith("--")]
        followed = plan_of(
            "azr-7b-coder", "model.gradient_checkpointing=false", *settings, gpu=gpu, gpus=gpus
        )
        assert followed.fits, changes


def test_the_cheapest_single_setting_is_named_first():
    gpu = replace(GPUS["h100"], memory=75e9)
    plan = plan_of("azr-3b-coder", "model.gradient_checkpointing=false", gpu=gpu)
    assert advice(plan) == ["model.gradient_checkpointing=true"]


def test_what_fits_gets_no_advice_but_the_room_that_is_left():
    plan = plan_of("azr-3b-coder")
    assert advice(plan) == []
    tokens = room(plan)
    assert tokens is not None
    assert plan_of("azr-3b-coder", f"sampler.max_batch_tokens={tokens}").fits
    assert not plan_of("azr-3b-coder", f"sampler.max_batch_tokens={2 * tokens}").fits


def test_nothing_helps_a_gpu_that_cannot_hold_the_model():
    plan = plan_of("azr-14b-coder", gpu=replace(GPUS["h100"], memory=5e9))
    assert advice(plan) == []


def test_measured_rates_take_the_place_of_the_data_sheets():
    gpu = chosen_gpu("h200", memory_gb=140, matrix_tflops=650)
    assert (gpu.memory, gpu.matrix_rate, gpu.bandwidth) == (140e9, 650e12, 4.8e12)
    with pytest.raises(ConfigError, match="h200"):
        chosen_gpu("abacus")


def test_what_several_gpus_cannot_share_is_refused():
    plan = plan_of("azr-7b-coder", "optimizer.offload=cpu")
    with pytest.raises(ConfigError, match=r"optimizer\.offload"):
        job(plan.job.config, 4, plan.job.gpu)
    assert smallest(plan) is None
