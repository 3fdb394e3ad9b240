"""Which tokens KL-Cov and Clip-Cov choose."""

import pytest
import torch

from tests.trainer.algorithms.tokens import tensor
from trainer_client.algorithms.covariance import (
    clip_cov_tokens,
    covariances,
    kl_cov_tokens,
    treated_tokens,
)
from trainer_client.config.algorithm import LossConfig

ADVANTAGES = tensor([4.0, 2.0, 0.0, -2.0])
LOGPROBS = tensor([-1.0, -2.0, -3.0, -6.0])
# means 1 and -3: advantages less their mean 3, 1, -1, -3, log-probabilities 2, 1, 0, -3
PRODUCTS = [6.0, 1.0, 0.0, 9.0]


def test_covariances_by_hand():
    assert covariances(ADVANTAGES, LOGPROBS).tolist() == pytest.approx(PRODUCTS)


def test_kl_cov_takes_the_largest():
    assert kl_cov_tokens(ADVANTAGES, LOGPROBS, 0.5).tolist() == [True, False, False, True]
    # floor(0.0002 * 4) = 0, and at least one
    assert kl_cov_tokens(ADVANTAGES, LOGPROBS, 2e-4).tolist() == [False, False, False, True]


def test_clip_cov_draws_between_its_bounds():
    chosen = clip_cov_tokens(ADVANTAGES, LOGPROBS, 1.0, (0.5, 7.0), seed=1)
    assert chosen.tolist() == [True, True, False, False]
    drawn = {
        tuple(clip_cov_tokens(ADVANTAGES, LOGPROBS, 0.25, (0.5, 7.0), seed).tolist())
        for seed in range(20)
    }
    assert drawn == {(True, False, False, False), (False, True, False, False)}
    again = [clip_cov_tokens(ADVANTAGES, LOGPROBS, 0.25, (0.5, 7.0), 5).tolist() for _ in "ab"]
    assert again[0] == again[1]
    assert not clip_cov_tokens(ADVANTAGES, LOGPROBS, 1.0, (10.0, 20.0), 0).any()


def test_tokens_that_may_not_be_chosen_do_not_move_the_means():
    eligible = torch.tensor([True, True, False, True, True])
    advantages = tensor([3.0, 1.0, 900.0, -1.0, -3.0])
    logprobs = tensor([-1.0, -2.0, -0.1, -3.0, -6.0])
    config = LossConfig(covariance="kl-cov", covariance_share=0.5)
    chosen = treated_tokens(advantages, logprobs, eligible, config, seed=0)
    assert chosen is not None
    assert chosen.tolist() == [True, False, False, False, True]
    config = LossConfig(covariance="clip-cov", covariance_share=1.0, covariance_bounds=(0.5, 7.0))
    chosen = treated_tokens(advantages, logprobs, eligible, config, seed=0)
    assert chosen is not None
    assert chosen.tolist() == [True, True, False, False, False]


def test_off_chooses_nothing_and_empty_input_is_fine():
    none = torch.zeros(0)
    flags = torch.zeros(0, dtype=torch.bool)
    assert treated_tokens(none, none, flags, LossConfig(), 0) is None
    for method in ("kl-cov", "clip-cov"):
        chosen = treated_tokens(none, none, flags, LossConfig(covariance=method), 0)
        assert chosen is not None
        assert chosen.tolist() == []
