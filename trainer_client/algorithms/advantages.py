"""Advantage estimators: from the rewards of a step's samples to `Scored.advantage`.

    TRR++ (AZR, arXiv 2505.03335)    (r - mean) / sqrt(var + 1e-8)   within each task-role
    REINFORCE++ (2501.03262)         the same over the whole batch
    GRPO (2402.03300)                (r - mean) / (std + 1e-6)       within each prompt's group
    RLOO (2402.14740)                r_i - mean of the group's other rewards

Token weighting counts a sample once per response token, as AZR's code does (verl's masked_whiten):
mean = sum n_i r_i / N and var = sum n_i (r_i - mean)^2 / (N - 1), N = sum n_i. Sequence weighting
counts each sample once (n_i = 1), the formula of AZR's paper. GRPO and RLOO weigh samples equally.

Samples without a reward are masked: they get 0 and enter no mean. A group whose rewards are all
equal, or that has one member, teaches nothing: 0. Demonstrations count as members of their group
(LUFFY). Under GRPO and RLOO a proposal, the only answer to its prompt, therefore learns nothing:
those estimators are baselines for the solver.

Each group is computed from its own members alone, with exact sums (`math.fsum`), so other groups'
rewards and the order of the samples cannot change a bit of it.
"""

from collections.abc import Callable, Hashable, Iterable, Sequence
from math import fsum, sqrt
from typing import Literal

from trainer_client.config.algorithm import AdvantageConfig
from trainer_client.records.kinds import Role
from trainer_client.records.rollouts import Scored

Weighting = Literal["token", "sequence"]

WHITEN_EPS = 1e-8
"""Added to the variance, as in masked_whiten."""
GRPO_EPS = 1e-6
"""Added to the standard deviation, as in verl."""


def trr_plus_plus(samples: Sequence[Scored], weighting: Weighting) -> None:
    """Whiten rewards within each task-role and set the advantages."""
    _within(samples, lambda sample: sample.rollout.role, lambda group: whiten(group, weighting))


def reinforce_plus_plus(samples: Sequence[Scored], weighting: Weighting) -> None:
    """Whiten rewards over the whole batch and set the advantages."""
    _within(samples, lambda _: None, lambda group: whiten(group, weighting))


def grpo(samples: Sequence[Scored]) -> None:
    """Normalise rewards within each prompt's group and set the advantages."""

    def normalise(group: Sequence[Scored]) -> list[float]:
        rewards = _rewards(group)
        mean, variance = _moments(rewards, [1] * len(rewards))
        return [(reward - mean) / (sqrt(variance) + GRPO_EPS) for reward in rewards]

    _within(samples, _prompt, normalise)


def rloo(samples: Sequence[Scored]) -> None:
    """Subtract the mean reward of a prompt's other responses and set the advantages."""

    def leave_one_out(group: Sequence[Scored]) -> list[float]:
        rewards = _rewards(group)
        total, others = fsum(rewards), len(rewards) - 1
        return [reward - (total - reward) / others for reward in rewards]

    _within(samples, _prompt, leave_one_out)


def estimate(
    samples: Sequence[Scored], config: AdvantageConfig, propose_scale: float = 1.0
) -> None:
    """Set the advantages by the configured estimator.

    Args:
        samples: of one step, all task-roles; masked ones included.
        config: which estimator, and its weighting.
        propose_scale: multiplies the proposer roles' advantages afterwards.
    """
    if config.estimator == "trr++":
        trr_plus_plus(samples, config.weighting)
    elif config.estimator == "reinforce++":
        reinforce_plus_plus(samples, config.weighting)
    elif config.estimator == "grpo":
        grpo(samples)
    else:
        rloo(samples)
    for sample in samples:
        if sample.rollout.role.role is Role.PROPOSE:
            sample.advantage *= propose_scale


def whiten(group: Sequence[Scored], weighting: Weighting) -> list[float]:
    """Return (r - mean) / sqrt(var + 1e-8) of samples that all have a reward.

    An empty response has no tokens and weighs nothing under token weighting; 0 for all where the
    weights sum to less than 2 or where those that count have one reward.
    """
    rewards = _rewards(group)
    tokens = weighting == "token"
    counts = [len(sample.rollout.response) if tokens else 1 for sample in group]
    counted = {reward for reward, n in zip(rewards, counts, strict=True) if n}
    if sum(counts) < 2 or len(counted) < 2:
        return [0.0] * len(rewards)
    mean, variance = _moments(rewards, counts)
    return [(reward - mean) / sqrt(variance + WHITEN_EPS) for reward in rewards]


def _moments(rewards: Sequence[float], counts: Sequence[int]) -> tuple[float, float]:
    """Return the weighted mean and the unbiased variance; the counts sum to at least 2."""
    total = sum(counts)
    mean = fsum(n * reward for n, reward in zip(counts, rewards, strict=True)) / total
    squares = fsum(n * (reward - mean) ** 2 for n, reward in zip(counts, rewards, strict=True))
    return mean, squares / (total - 1)


def _within(
    samples: Iterable[Scored],
    key: Callable[[Scored], Hashable],
    advantages: Callable[[Sequence[Scored]], list[float]],
) -> None:
    """Group the samples that have a reward and set each group's advantages."""
    groups: dict[Hashable, list[Scored]] = {}
    for sample in samples:
        sample.advantage = 0.0
        if sample.reward is not None:
            groups.setdefault(key(sample), []).append(sample)
    for group in groups.values():
        # Equal rewards are told apart exactly: the rounding left by a mean would be divided by
        # the square root of 1e-8 and come out as a small, wrong advantage.
        if len(set(_rewards(group))) > 1:
            for sample, advantage in zip(group, advantages(group), strict=True):
                sample.advantage = advantage


def _prompt(sample: Scored) -> Hashable:
    """Responses to one prompt; the numbers of groups are unique within a task-role."""
    return sample.rollout.role, sample.rollout.group


def _rewards(group: Iterable[Scored]) -> list[float]:
    return [sample.reward for sample in group if sample.reward is not None]
