"""Plans of presets with changes, as tests want them."""

from trainer_client.config.loading import load
from trainer_client.plan.hardware import GPUS, Gpu
from trainer_client.plan.job import Job, job
from trainer_client.plan.verdict import Plan
from trainer_client.plan.workload import Lengths

ROUND = Gpu("round", 80e9, 1e12, 1e12, 1e11, 1e10)
"""A GPU whose rates make hand computation easy."""
LENGTHS = Lengths(1000, 1000, 8000)
TRANSFORMERS = "sampler.backend=transformers"


def job_of(
    preset: str = "azr-paper", *overrides: str, gpus: int = 1, gpu: Gpu = GPUS["h100"]
) -> Job:
    return job(load(preset, [TRANSFORMERS, *overrides], {}), gpus, gpu)


def plan_of(
    preset: str = "azr-paper",
    *overrides: str,
    gpus: int = 1,
    gpu: Gpu = GPUS["h100"],
    lengths: Lengths = LENGTHS,
) -> Plan:
    return Plan(job_of(preset, *overrides, gpus=gpus, gpu=gpu), lengths, 1.0)
