"""The numbers of a step by task-role: reward, validity, accuracy, solve rate, entropy, length.

`entropy/<role>` is the self-play paper's equation 1 on the sampler's own log-probabilities: minus
the mean over responses of the mean over tokens of log pi(y_t). The learner adds the entropy of the
full distribution.
"""

from collections import Counter
from collections.abc import Sequence
from statistics import fmean

from trainer_client.algorithms.entropy import sampled_entropy
from trainer_client.records.kinds import Role
from trainer_client.records.rollouts import Scored
from trainer_client.selfplay.arena import Arena


def step_metrics(arena: Arena, samples: Sequence[Scored]) -> dict[str, float]:
    """Return the metrics of a step's samples; a task-role without any has no entry."""
    found: dict[str, float] = {"samples/masked": float(sum(s.reward is None for s in samples))}
    by_role: dict[str, list[Scored]] = {}
    for sample in samples:
        if sample.off_policy:
            continue
        by_role.setdefault(sample.rollout.role.key, []).append(sample)
        by_role.setdefault(str(sample.rollout.role.role), []).append(sample)
    for name, group in by_role.items():
        found |= {f"{what}/{name}": value for what, value in _of_group(group).items()}
    entropy = sampled_entropy(s.rollout.logprobs for s in samples)
    if entropy is not None:
        found["entropy/all"] = entropy
    for task in arena.config.tasks.kinds:
        found[f"buffer/{task}"] = float(len(arena.buffers.problems(task)))
    return found | _latencies(arena)


def _of_group(group: list[Scored]) -> dict[str, float]:
    """Return the means of one task-role's samples."""
    rewards = [s.reward for s in group if s.reward is not None]
    entropy = sampled_entropy(s.rollout.logprobs for s in group)
    found = {
        "length": fmean(len(s.rollout.response) for s in group),
        "truncated": fmean(not s.rollout.finished for s in group),
        "bad_format": fmean(s.status == "bad_format" for s in group),
    }
    if rewards:
        found["reward"] = fmean(rewards)
    if entropy is not None:
        found["entropy"] = entropy
    facts = Counter[str]()
    totals: dict[str, float] = {}
    for sample in group:
        for name, value in sample.facts.items():
            facts[name] += 1
            totals[name] = totals.get(name, 0.0) + value
    found |= {name: totals[name] / facts[name] for name in facts}
    if group[0].rollout.role.role is Role.PROPOSE:
        texts = {s.rollout.text for s in group}
        found["unique"] = len(texts) / len(group)
    return found


def _latencies(arena: Arena) -> dict[str, float]:
    """Return how fast the verifier answered."""
    return {f"verifier/{name}": value for name, value in arena.verifier.latencies().items()}
