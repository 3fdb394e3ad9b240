"""The four tasks by name. A further task is a further value here and a member of `Task`."""

from collections.abc import Mapping

from trainer_client.records.kinds import Task
from trainer_client.tasks.abduction import Abduction
from trainer_client.tasks.deduction import Deduction
from trainer_client.tasks.error import Error
from trainer_client.tasks.induction import Induction
from trainer_client.tasks.kind import TaskKind

_KINDS: Mapping[Task, TaskKind] = {
    Task.DEDUCTION: Deduction(),
    Task.ABDUCTION: Abduction(),
    Task.INDUCTION: Induction(),
    Task.ERROR: Error(),
}


def task_kind(task: Task) -> TaskKind:
    """Return what a task is made of."""
    return _KINDS[task]
