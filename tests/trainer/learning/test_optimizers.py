"""Learning rates by step."""

import pytest
import torch

from trainer_client.config.model import OptimizerConfig
from trainer_client.learning.optimizers import Schedule, adamw, rate_factor


def test_a_constant_schedule_warms_up_and_stays():
    config = OptimizerConfig(warmup_steps=3)
    factors = [rate_factor(step, 6, config) for step in range(6)]
    assert factors == [0.25, 0.5, 0.75, 1.0, 1.0, 1.0]


def test_a_linear_schedule_falls_to_zero_after_its_last_step():
    config = OptimizerConfig(warmup_steps=2, schedule="linear")
    factors = [rate_factor(step, 6, config) for step in range(8)]
    assert factors == pytest.approx([1 / 3, 2 / 3, 1.0, 0.75, 0.5, 0.25, 0.0, 0.0])


def test_each_groups_own_rate_is_scaled():
    model = torch.nn.Linear(2, 2)
    config = OptimizerConfig(lr=0.1, warmup_steps=1)
    fast = torch.optim.SGD([model.bias], lr=1.0)
    slow = adamw(torch.nn.Linear(2, 2), config)
    schedule = Schedule([*slow, fast], config, total=10)
    assert schedule.set(0) == pytest.approx(0.05)
    assert fast.param_groups[0]["lr"] == pytest.approx(0.5)
    schedule.set(5)
    schedule.set(1)
    assert fast.param_groups[0]["lr"] == 1.0
