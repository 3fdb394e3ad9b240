"""The metrics of one task-role, picked from a step's flat mapping of names to numbers.

Names are ``<what>/<role>/<task>``, for instance ``reward/solve/deduction``; ``<what>/<role>`` is
the same over all tasks of a role.
"""

from collections.abc import Iterable, Mapping
from itertools import product

from trainer_client.records.kinds import Role, Task, TaskRole

TASK_ROLES = tuple(TaskRole(task, role) for role, task in product(Role, Task))
"""All task-roles, proposers first."""
MEASURES = ("reward", "validity", "accuracy", "solve_rate", "entropy", "length")
"""What is shown of each task-role, where it exists."""
PHASES_EXCLUDED = frozenset({"time/step", "time/waiting", "time/waiting_share", "time/collect"})
"""Names below ``time/`` that are not phases of a step."""


def roles_in(names: Iterable[str]) -> list[TaskRole]:
    """Return the task-roles that have a reward among the names, in order."""
    known = set(names)
    return [role for role in TASK_ROLES if f"reward/{role.key}" in known]


def measures_of(metrics: Mapping[str, float], role: TaskRole) -> dict[str, float]:
    """Return the measures of a task-role that there are."""
    named = {what: metrics.get(f"{what}/{role.key}") for what in MEASURES}
    return {what: value for what, value in named.items() if value is not None}


def phases_of(metrics: Mapping[str, float]) -> dict[str, float]:
    """Return the seconds of a step by phase."""
    return {
        name.removeprefix("time/"): value
        for name, value in metrics.items()
        if name.startswith("time/") and name not in PHASES_EXCLUDED
    }
