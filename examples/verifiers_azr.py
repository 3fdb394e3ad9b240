"""A taskset for the `verifiers` package (0.2 and later), scored by verdicts.

    azr-executor serve &                              # or VERIFIER_URL=http://...
    pip install "azr-verifier[train]" verifiers
    PYTHONPATH=examples vf-eval --env.taskset.id verifiers_azr ...

A rollout without a verdict has an error and no reward: trainer_client.adapters.verifiers_rubric.
"""

import verifiers.v1 as vf

from trainer_client.adapters import Grader
from trainer_client.adapters.rows import chat, rows
from trainer_client.adapters.verifiers_rubric import grade_trace
from trainer_client.records.problems import Triplet

__all__ = ["AzrTaskset"]
PROBLEMS = [
    Triplet("def f(words):\n    return sorted(set(words))", "['b', 'a', 'b']", "['a', 'b']"),
    Triplet("def f(n):\n    return [i * i for i in range(n)]", "4", "[0, 1, 4, 9]"),
]
# In a chat the model opens its thought itself; where a reasoning parser takes the thought out of
# the text, the adapter puts it back.
GRADER = Grader(thought="response")


class AzrData(vf.TaskData):
    """A problem; its fields are those of `trainer_client.adapters.Sample`."""

    task: str
    program: str
    input: str = ""
    output: str


class AzrTask(vf.Task[AzrData]):
    """Scored by the verifier."""

    @vf.reward
    async def correct(self, trace: vf.Trace) -> float:
        """Return 1 for a right answer."""
        return await grade_trace(GRADER, self.data, trace)


class AzrTaskset(vf.Taskset[AzrTask, vf.TasksetConfig]):
    """Deduction and abduction on a few problems."""

    def load(self) -> list[AzrTask]:
        """Return the tasks."""
        return [
            AzrTask(AzrData(**row | {"prompt": chat(row["prompt"])}), self.config.task)
            for task in ("deduction", "abduction")
            for row in rows(task, PROBLEMS)
        ]
