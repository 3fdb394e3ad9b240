"""The proposer's reward."""

import pytest

from trainer_client.config.selfplay import RewardConfig
from trainer_client.rewards.proposing import balanced, learnability, proposer_reward
from trainer_client.rewards.terms import Terms


@pytest.mark.parametrize(("rate", "reward"), [(0.125, 0.875), (0.5, 0.5), (0.875, 0.125)])
def test_learnability_is_one_minus_the_solve_rate(rate, reward):
    assert learnability(rate) == reward


@pytest.mark.parametrize("rate", [0.0, 1.0])
@pytest.mark.parametrize("price", [learnability, balanced])
def test_what_none_or_all_solve_gets_the_configured_number(price, rate):
    assert price(rate) == 0.0
    assert price(rate, -0.5) == -0.5


@pytest.mark.parametrize(
    ("rate", "reward"), [(0.125, 0.25), (0.25, 0.5), (0.5, 1.0), (0.875, 0.25)]
)
def test_balanced_peaks_at_one_half(rate, reward):
    # 1 - 2|0.125 - 0.5| = 1 - 0.75
    assert balanced(rate) == reward


def test_the_configuration_chooses_the_equation():
    assert proposer_reward(True, 0.25, RewardConfig()) == 0.75
    assert proposer_reward(True, 0.25, RewardConfig(proposer="balanced")) == 0.5


def test_refused_proposals_are_priced_like_bad_format():
    assert proposer_reward(False, None, RewardConfig()) == -1.0
    assert proposer_reward(False, 0.5, RewardConfig(bad_format=-2.0)) == -2.0


def test_what_cannot_be_judged_is_masked():
    assert proposer_reward(None, None, RewardConfig()) is None
    assert proposer_reward(None, 0.5, RewardConfig()) is None
    assert proposer_reward(True, None, RewardConfig()) is None


def test_unlearnable_tasks_follow_the_switch():
    assert proposer_reward(True, 0.0, RewardConfig()) == 0.0
    assert proposer_reward(True, 1.0, RewardConfig(unlearnable=-0.5)) == -0.5


def test_terms_are_weighted_and_added():
    config = RewardConfig(
        complexity_weight=0.5,
        halstead_weight=0.25,
        edit_distance_weight=1.0,
        answer_diversity_weight=2.0,
        proposal_diversity_weight=4.0,
    )
    terms = Terms(0.5, 0.5, 0.25, 0.125, 0.0625)
    # 0.75 + 0.5*0.5 + 0.25*0.5 + 1*0.25 + 2*0.125 + 4*0.0625 = 0.75 + 1.125
    assert proposer_reward(True, 0.25, config, terms) == pytest.approx(1.875)
    assert proposer_reward(True, 0.25, RewardConfig(), terms) == 0.75


@pytest.mark.parametrize("rate", [0.0, 1.0])
def test_terms_do_not_pay_for_tasks_that_teach_nothing(rate):
    config = RewardConfig(proposal_diversity_weight=1.0)
    assert proposer_reward(True, rate, config, Terms(proposal_diversity=1.0)) == 0.0
