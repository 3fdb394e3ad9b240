"""Scored samples for tests of rewards and advantages."""

from trainer_client.records.kinds import Role, Task, TaskRole
from trainer_client.records.rollouts import Rollout, Scored

SOLVE = TaskRole(Task.DEDUCTION, Role.SOLVE)
PROPOSE = TaskRole(Task.DEDUCTION, Role.PROPOSE)


def scored(reward: float | None, tokens: int = 1, role: TaskRole = SOLVE, group: int = 0) -> Scored:
    """A sample with a response of so many tokens."""
    response = tuple(range(tokens))
    rollout = Rollout(role, (1, 2), response, (-0.5,) * tokens, True, group, "text")
    return Scored(rollout, reward, "correct")
