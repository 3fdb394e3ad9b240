"""Advantages against numbers worked out by hand, and properties that hold for all rewards."""

from math import isclose, sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.trainer.scored import PROPOSE, SOLVE, scored
from trainer_client.algorithms import advantages
from trainer_client.config.algorithm import AdvantageConfig
from trainer_client.records.kinds import Role, Task, TaskRole

ROLES = [TaskRole(task, role) for task in list(Task)[:3] for role in Role]
NEAR = pytest.approx


def of(samples):
    return [sample.advantage for sample in samples]


def test_trr_sequence_weighting_is_the_papers_formula():
    samples = [scored(1.0, 5), scored(-0.5, 1), scored(-1.0, 9)]
    advantages.trr_plus_plus(samples, "sequence")
    # mean = -0.5/3 = -1/6; deviations 7/6, -1/3, -5/6
    # unbiased variance = (49/36 + 4/36 + 25/36) / 2 = 78/72 = 1.0833333
    sd = sqrt(78 / 72 + 1e-8)
    assert of(samples) == NEAR([7 / 6 / sd, -1 / 3 / sd, -5 / 6 / sd], rel=1e-12)
    assert of(samples) == NEAR([1.1208971, -0.3202563, -0.8006408], abs=1e-7)


def test_trr_token_weighting_counts_a_sample_once_per_token():
    samples = [scored(1.0, 1), scored(0.0, 3)]
    advantages.trr_plus_plus(samples, "token")
    # returns 1,0,0,0: mean 1/4, unbiased variance = (9/16 + 3/16) / 3 = 1/4, sd 1/2
    # advantages (3/4)/(1/2) = 1.5 and (-1/4)/(1/2) = -0.5, less the 1e-8
    assert of(samples) == NEAR([1.5, -0.5], abs=1e-6)
    assert of(samples) == NEAR([0.75 / sqrt(0.25 + 1e-8), -0.25 / sqrt(0.25 + 1e-8)], rel=1e-12)


def test_trr_token_weighting_equals_masked_whiten():
    import torch

    samples = [scored(1.0, 4), scored(-0.5, 2), scored(-1.0, 7), scored(-0.5, 1)]
    advantages.trr_plus_plus(samples, "token")
    lengths = torch.tensor([4, 2, 7, 1])
    returns = torch.tensor([1.0, -0.5, -1.0, -0.5], dtype=torch.float64).repeat_interleave(lengths)
    white = (returns - returns.mean()) * torch.rsqrt(returns.var() + 1e-8)
    ours = torch.tensor(of(samples), dtype=torch.float64).repeat_interleave(lengths)
    torch.testing.assert_close(ours, white, rtol=1e-12, atol=1e-12)


def test_roles_are_normalised_apart_and_reinforce_over_the_batch():
    samples = [scored(1.0), scored(0.0), scored(0.5, role=PROPOSE), scored(-0.5, role=PROPOSE)]
    advantages.trr_plus_plus(samples, "sequence")
    # each role: mean 0.5 or 0, deviations +-1/2, variance (1/4 + 1/4) / 1 = 1/2
    half = 0.5 / sqrt(0.5)
    assert of(samples) == NEAR([half, -half, half, -half], abs=1e-7)
    advantages.reinforce_plus_plus(samples, "sequence")
    # all: mean 1/4; deviations 3/4, -1/4, 1/4, -3/4; variance (9+1+1+9)/16/3 = 20/48
    sd = sqrt(20 / 48)
    assert of(samples) == NEAR([0.75 / sd, -0.25 / sd, 0.25 / sd, -0.75 / sd], abs=1e-7)


def test_grpo_divides_by_the_groups_deviation_plus_epsilon():
    samples = [scored(1.0), scored(1.0), scored(-0.5), scored(7.0, group=1), scored(5.0, group=1)]
    advantages.grpo(samples)
    # group 0: mean 1/2, deviations 1/2, 1/2, -1; variance (1/4 + 1/4 + 1)/2 = 3/4
    # group 1: mean 6, deviations +-1, variance 2
    first, second = sqrt(0.75) + 1e-6, sqrt(2) + 1e-6
    expected = [0.5 / first, 0.5 / first, -1 / first, 1 / second, -1 / second]
    assert of(samples) == NEAR(expected, rel=1e-12)
    assert samples[0].advantage == NEAR(0.5773496, abs=1e-6)


def test_rloo_subtracts_the_mean_of_the_others():
    samples = [scored(1.0), scored(-0.5), scored(-1.0)]
    advantages.rloo(samples)
    # 1 - (-1.5)/2 = 1.75; -0.5 - 0/2 = -0.5; -1 - 0.5/2 = -1.25
    assert of(samples) == NEAR([1.75, -0.5, -1.25])


def test_groups_of_one_number_in_two_task_roles_are_two_groups():
    samples = [scored(1.0), scored(0.0), scored(5.0, role=PROPOSE), scored(3.0, role=PROPOSE)]
    advantages.rloo(samples)
    assert of(samples) == [1.0, -1.0, 2.0, -2.0]


@pytest.mark.parametrize("estimator", ["trr++", "grpo", "rloo", "reinforce++"])
def test_masked_samples_get_zero_and_enter_no_mean(estimator):
    config = AdvantageConfig(estimator=estimator)
    plain, holed = [scored(1.0, 2), scored(-1.0, 3)], [scored(1.0, 2), scored(-1.0, 3)]
    masked = scored(None, 50)
    masked.advantage = 3.0
    advantages.estimate(plain, config)
    advantages.estimate([holed[0], masked, holed[1]], config)
    assert of(holed) == of(plain)
    assert plain[0].advantage > 0 > plain[1].advantage
    assert masked.advantage == 0.0


@pytest.mark.parametrize("estimator", ["trr++", "grpo", "rloo", "reinforce++"])
@pytest.mark.parametrize("weighting", ["token", "sequence"])
@pytest.mark.parametrize("rewards", [[], [0.7], [0.1, 0.1, 0.1], [None, None], [0.3, None]])
def test_groups_that_teach_nothing_get_exact_zeros(estimator, weighting, rewards):
    samples = [scored(reward, 3) for reward in rewards]
    advantages.estimate(samples, AdvantageConfig(estimator=estimator, weighting=weighting))
    assert of(samples) == [0.0] * len(rewards)


def test_empty_responses_weigh_nothing_under_token_weighting():
    samples = [scored(1.0, 2), scored(0.0, 2), scored(-1.0, 0)]
    advantages.trr_plus_plus(samples, "token")
    alone = [scored(1.0, 2), scored(0.0, 2)]
    advantages.trr_plus_plus(alone, "token")
    assert of(samples)[:2] == of(alone)
    lonely = [scored(1.0, 4), scored(0.0, 0)]
    advantages.trr_plus_plus(lonely, "token")
    assert of(lonely) == [0.0, 0.0]


def test_the_scale_touches_proposers_alone():
    samples = [scored(1.0), scored(0.0), scored(1.0, role=PROPOSE), scored(0.0, role=PROPOSE)]
    config = AdvantageConfig(weighting="sequence")
    advantages.estimate(samples, config)
    before = of(samples)
    advantages.estimate(samples, config, propose_scale=0.25)
    assert of(samples) == [before[0], before[1], before[2] * 0.25, before[3] * 0.25]
    assert before[2] > 0


@pytest.mark.parametrize(
    ("estimator", "expected"),
    # rewards 1, 0, -1 with 1, 1, 2 tokens, groups 0, 0, 1. trr++ by tokens: mean -1/4, squares
    # 25/16 + 1/16 + 2 * 9/16 = 44/16, variance 11/12. grpo: group 0 deviations +-1/2, variance
    # 1/2. rloo: 1 - 0 and 0 - 1. Group 1 has one member.
    [
        ("trr++", [1.25 / sqrt(11 / 12), 0.25 / sqrt(11 / 12), -0.75 / sqrt(11 / 12)]),
        ("reinforce++", [1.25 / sqrt(11 / 12), 0.25 / sqrt(11 / 12), -0.75 / sqrt(11 / 12)]),
        ("grpo", [0.5 / sqrt(0.5), -0.5 / sqrt(0.5), 0.0]),
        ("rloo", [1.0, -1.0, 0.0]),
    ],
)
def test_the_configuration_chooses_the_estimator(estimator, expected):
    samples = [scored(1.0, 1), scored(0.0, 1), scored(-1.0, 2, group=1)]
    advantages.estimate(samples, AdvantageConfig(estimator=estimator))
    assert of(samples) == NEAR(expected, abs=2e-6)


REWARDS = st.one_of(
    st.sampled_from([1.0, -0.5, -1.0, 0.0]), st.integers(-8, 8).map(lambda n: n / 8)
)
MEMBERS = st.lists(st.tuples(REWARDS, st.integers(1, 30)), min_size=2, max_size=24)


@given(
    st.dictionaries(st.sampled_from(ROLES), MEMBERS, min_size=1),
    st.sampled_from(["token", "sequence"]),
)
def test_every_task_role_has_mean_zero_and_unit_variance(batch, weighting):
    samples = [scored(r, n, role) for role, members in batch.items() for r, n in members]
    advantages.trr_plus_plus(samples, weighting)
    for role in batch:
        mine = [s for s in samples if s.rollout.role == role]
        counts = [len(s.rollout.response) if weighting == "token" else 1 for s in mine]
        total = sum(counts)
        mean = sum(n * s.advantage for n, s in zip(counts, mine, strict=True)) / total
        assert isclose(mean, 0.0, abs_tol=1e-9)
        variance = sum(n * s.advantage**2 for n, s in zip(counts, mine, strict=True)) / (total - 1)
        if len({s.reward for s in mine}) == 1:
            assert variance == 0.0
        else:
            # 1 - 1e-8 / var, and rewards on a grid of 1/8 keep var above 1/64 / 720.
            assert isclose(variance, 1.0, abs_tol=1e-3)


@given(MEMBERS, MEMBERS, MEMBERS, st.sampled_from(["token", "sequence"]))
def test_one_roles_rewards_do_not_change_a_bit_of_the_others(kept, before, after, weighting):
    def run(others):
        mine = [scored(r, n, SOLVE) for r, n in kept]
        advantages.trr_plus_plus([*mine, *(scored(r, n, PROPOSE) for r, n in others)], weighting)
        return [s.advantage.hex() for s in mine]

    assert run(before) == run(after)


@given(MEMBERS, st.randoms(use_true_random=False))
def test_the_order_of_the_samples_does_not_change_a_bit(members, rng):
    samples = [scored(r, n) for r, n in members]
    advantages.trr_plus_plus(samples, "token")
    before = of(samples)
    shuffled = list(samples)
    rng.shuffle(shuffled)
    advantages.trr_plus_plus(shuffled, "token")
    assert of(samples) == before
