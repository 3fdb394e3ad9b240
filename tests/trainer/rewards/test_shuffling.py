"""The control of shuffled rewards."""

from random import Random

from tests.trainer.scored import PROPOSE, SOLVE, scored
from trainer_client.rewards.shuffling import shuffle_rewards


def batch():
    solve = [scored(float(i), role=SOLVE) for i in range(20)]
    propose = [scored(100.0 + i, role=PROPOSE) for i in range(20)]
    return solve, propose


def test_rewards_stay_within_their_task_role():
    solve, propose = batch()
    shuffle_rewards([*solve, *propose], Random(1))
    rewards = [s.reward for s in solve]
    assert sorted(rewards) == [float(i) for i in range(20)]
    assert rewards != [float(i) for i in range(20)]
    assert sorted(s.reward for s in propose) == [100.0 + i for i in range(20)]


def test_what_was_earned_is_kept():
    solve, propose = batch()
    shuffle_rewards([*solve, *propose], Random(1))
    assert [s.facts["earned"] for s in solve] == [float(i) for i in range(20)]


def test_masked_samples_stay_masked():
    samples = [scored(1.0), scored(None), scored(2.0), scored(None)]
    shuffle_rewards(samples, Random(0))
    assert samples[1].reward is None
    assert samples[3].reward is None
    assert {samples[0].reward, samples[2].reward} == {1.0, 2.0}
    assert "earned" not in samples[1].facts


def test_the_same_generator_gives_the_same_shuffle_whatever_role_comes_first():
    one, other = batch(), batch()
    shuffle_rewards([*one[0], *one[1]], Random(7))
    shuffle_rewards([*other[1], *other[0]], Random(7))
    for left, right in zip(one, other, strict=True):
        assert [s.reward for s in left] == [s.reward for s in right]
