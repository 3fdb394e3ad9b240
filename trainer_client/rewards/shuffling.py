"""The control of shuffled rewards: the same rewards, without their information."""

from collections.abc import Sequence
from random import Random

from trainer_client.records.kinds import TaskRole
from trainer_client.records.rollouts import Scored


def shuffle_rewards(samples: Sequence[Scored], rng: Random) -> None:
    """Permute the rewards within each task-role, in place; masked samples keep None.

    What a sample had earned is kept in ``facts["earned"]`` for the metrics. Mean and spread of each
    task-role stay as they are, so the step sizes do; only which sample gets which reward is random.
    """
    groups: dict[TaskRole, list[Scored]] = {}
    for sample in samples:
        if sample.reward is not None:
            groups.setdefault(sample.rollout.role, []).append(sample)
    for role in sorted(groups):
        group = groups[role]
        rewards = [sample.reward for sample in group if sample.reward is not None]
        for sample, reward in zip(group, rewards, strict=True):
            sample.facts["earned"] = reward
        rng.shuffle(rewards)
        for sample, reward in zip(group, rewards, strict=True):
            sample.reward = reward
