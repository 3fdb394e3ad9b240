"""The solver's reward and solve rates."""

import pytest

from trainer_client.config.selfplay import RewardConfig
from trainer_client.rewards.solving import solve_rate, solver_reward

CONFIG = RewardConfig()


@pytest.mark.parametrize(
    ("status", "reward"),
    [
        ("correct", 1.0),
        ("wrong", -0.5),
        ("invalid_answer", -0.5),
        ("timeout", -0.5),
        ("nondeterministic", -0.5),
        ("bad_format", -1.0),
    ],
)
def test_azrs_table(status, reward):
    assert solver_reward(status, CONFIG) == reward


def test_trouble_of_the_service_is_never_a_number():
    assert solver_reward("infra_error", CONFIG) is None


def test_the_numbers_are_configured():
    config = RewardConfig(wrong=0.0, bad_format=-0.25)
    assert solver_reward("wrong", config) == 0.0
    assert solver_reward("bad_format", config) == -0.25
    assert solver_reward("correct", config) == 1.0


def test_solve_rate_leaves_out_what_has_no_verdict():
    # 2 correct of 4 judged; the two infra_errors do not count
    statuses = ["correct", "infra_error", "wrong", "bad_format", "correct", "infra_error"]
    assert solve_rate(statuses) == 0.5


def test_solve_rate_of_no_verdict_is_unknown():
    assert solve_rate(["infra_error"] * 8) is None
    assert solve_rate([]) is None


def test_solve_rate_of_one_verdict_is_that_verdict():
    assert solve_rate(["infra_error", "correct"]) == 1.0
