"""Rewards for environments of the `verifiers` package: for its tasks, and its older rubrics.

Since 0.2 (``verifiers.v1``) a task's data say what is judged, and `verified` is plugged in by name:

    --env.taskset.task.rewards.verified.fn trainer_client.adapters.verifiers_rubric:verified

or called from a ``@vf.reward`` method. Contract (verifiers/v1/task.py, ``Task.score``; errors.py):
a reward declares what it needs of ``task`` and ``trace`` and returns a float; an exception is
recorded on the trace as a `TaskError`, the reward stays unset, and the rollout counts as failed,
never as a score. That is where a completion without a verdict goes: `NoVerdict`.

Up to 0.1 a ``vf.Rubric`` has reward functions, and its dataset an ``info`` column; see `rubric`.
"""

import importlib
from collections.abc import Mapping
from typing import Any

from trainer_client.adapters.grader import Grader, judged
from trainer_client.adapters.options import grader
from trainer_client.adapters.sample import Sample
from trainer_client.errors import DataError, TrainerError


async def verified(task: Any, trace: Any) -> float:
    r"""Return the reward of a trace's last message (verifiers 0.2 and later).

    Args:
        task: the task's data; its fields, or those of its field ``info``, are a `Sample`'s.
        trace: the rollout.

    Raises:
        NoVerdict: the verifier had trouble of its own, each time it was asked.
        DataError: the task's data are not right; the message names the field.
        VerifierAway: the verifier could not be had within the patience.

    Example:
        >>> import asyncio
        >>> from types import SimpleNamespace
        >>> from trainer_client.adapters.verifiers_rubric import verified
        >>> task = {"task": "deduction", "program": "def f(): ...", "output": "8"}
        >>> text = "8.</think><answer>```output\n8\n```</answer>"
        >>> trace = SimpleNamespace(assistant_messages=[{"role": "assistant", "content": text}])
        >>> asyncio.run(verified(task, trace))
        1.0
    """
    return await grade_trace(grader(), task, trace)


async def grade_trace(grader: Grader, task: Any, trace: Any) -> float:
    """Return the reward of a trace by a grader of one's own; see `verified`.

    Example:
        >>> from trainer_client.adapters import Grader, Scale
        >>> from trainer_client.adapters.verifiers_rubric import grade_trace
        >>> grader = Grader(thought="none", scale=Scale(wrong=-0.5))
        >>> async def correct(task, trace):  # a @vf.reward method, with self in front
        ...     return await grade_trace(grader, task, trace)
    """
    fields = _fields(task)
    sample = Sample.read(fields if "task" in fields else fields.get("info"), "the task's data")
    messages = list(trace.assistant_messages)
    completion = messages[-1:] if messages else ""
    ((reward, _),) = judged(await grader.agrade([sample], [completion]))
    return reward


def rubric(grader: Grader) -> Any:
    """Return a ``vf.Rubric`` of one function (verifiers 0.1), which is given ``info``.

    The rubric of 0.1 makes 0.0 of any exception of a reward function. A rollout without a verdict,
    and one whose ``info`` is not right, is therefore marked as 0.1 marks its own failures: with an
    `InfraError` in ``state["error"]``, by which trainers leave it out whatever number is there.

    Raises:
        ImportError: verifiers is not installed, or has no rubrics any more.

    Example:
        >>> from trainer_client.adapters import Grader
        >>> from trainer_client.adapters.verifiers_rubric import rubric
        >>> try:
        ...     judge = rubric(Grader(thought="none"))
        ... except ImportError:
        ...     pass  # no verifiers 0.1 here
    """
    verifiers = importlib.import_module("verifiers")
    if not hasattr(verifiers, "Rubric"):
        raise ImportError("this release of verifiers has no rubrics; plug in `verified` instead")

    async def verified(completion: Any, info: Any, state: dict[str, Any]) -> float:
        try:
            grades = await grader.agrade([Sample.read(info, "info")], [completion])
            return judged(grades)[0][0]
        except TrainerError as error:
            state["error"] = verifiers.InfraError(str(error))
            return 0.0

    return verifiers.Rubric(funcs=[verified])


def _fields(task: Any) -> Mapping[str, Any]:
    if isinstance(task, Mapping):
        return task
    if hasattr(task, "model_dump"):
        found: dict[str, Any] = task.model_dump()
        return found
    raise DataError(f"the task's data: no mapping and no model, but {type(task).__name__}")
