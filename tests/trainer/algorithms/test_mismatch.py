"""Truncated importance sampling and the measures of mismatch."""

from math import exp, isfinite, log

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tests.trainer.algorithms.tokens import tensor
from trainer_client.algorithms.mismatch import importance_weights, k3, log_ratio, mismatch_metrics

NEAR = pytest.approx


def test_weights_are_capped_and_detached():
    learner = tensor([-1.0, -1.0, -1.0]).requires_grad_()
    weights = importance_weights(learner, tensor([-1.0, -1 - log(3), -1 + log(4)]), 2.0)
    assert weights.tolist() == NEAR([1.0, 2.0, 0.25])
    assert not weights.requires_grad


def test_log_ratios_are_cut_before_exp_overflows():
    assert log_ratio(tensor([0.0, -900.0]), tensor([-900.0, 0.0])).tolist() == [20.0, -20.0]


def test_k3_by_hand():
    # d = log 2: 2 - 1 - log 2 = 0.306853; d = -log 2: 1/2 - 1 + log 2 = 0.193147
    assert k3(tensor([log(2), -log(2), 0.0])).tolist() == NEAR([0.306853, 0.193147, 0], abs=1e-6)


@given(st.lists(st.floats(-20, 20, width=32), min_size=1, max_size=8))
def test_k3_is_never_negative(values):
    assert bool((k3(tensor(values)) >= 0).all())


def test_without_mismatch_the_effective_share_is_one():
    same = tensor([-1.0, -2.0, -3.0])
    values = mismatch_metrics(same, same.clone(), None).values()
    assert values == {
        "mismatch/abs": 0.0,
        "mismatch/abs_max": 0.0,
        "mismatch/k3": 0.0,
        "mismatch/capped": 0.0,
        "mismatch/ess": 1.0,
    }


def test_capping_is_counted_against_the_given_cap_or_the_usual_one():
    learner, sampler = tensor([0.0, 0.0, 0.0, 0.0]), tensor([-log(1.5), -log(1.8), -log(3), 0.0])
    assert mismatch_metrics(learner, sampler, None).values()["mismatch/capped"] == 0.25
    assert mismatch_metrics(learner, sampler, 1.6).values()["mismatch/capped"] == 0.5


def test_the_largest_mismatch_keeps_the_share_finite():
    values = mismatch_metrics(tensor([0.0, -1.0]), tensor([-1000.0, -1.0]), None).values()
    assert all(isfinite(value) for value in values.values())
    # weights e^20 and 1: (e^20 + 1)^2 / (2 (e^40 + 1)) is just above a half
    assert values["mismatch/ess"] == NEAR((exp(20) + 1) ** 2 / (2 * (exp(40) + 1)))


def test_no_tokens_give_no_metrics():
    assert mismatch_metrics(torch.zeros(0), torch.zeros(0), 2.0).values() == {}
