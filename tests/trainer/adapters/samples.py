"""Samples of the four tasks, with right and wrong responses in the packaged form."""

from trainer_client.adapters import Sample
from trainer_client.prompts.prompt_set import PromptSet
from trainer_client.records.kinds import Task
from trainer_client.records.problems import Case, InductionProblem, Triplet
from trainer_client.tasks.registry import task_kind

MARKUP = PromptSet.load("azr").markup
DOUBLE = "def f(x):\n    return x * 2"
TRIPLET = Triplet(DOUBLE, "4", "8")
INDUCTION = InductionProblem(DOUBLE, "", (), (Case("1", "2"), Case("5", "10")))
ERROR = Triplet("def f(x):\n    return 1 // x", "0", "ZeroDivisionError")
SAMPLES = (
    Sample(Task.DEDUCTION, TRIPLET),
    Sample(Task.ABDUCTION, TRIPLET),
    Sample(Task.INDUCTION, INDUCTION),
    Sample(Task.ERROR, ERROR),
)
DEDUCTION = SAMPLES[0]
RIGHT = [task_kind(s.task).demonstration(s.problem, MARKUP) for s in SAMPLES]


def response(output: str) -> str:
    """Answer a deduction in the packaged form, whose prompt has opened the thought."""
    return f"Well.</think>\n<answer>\n```output\n{output}\n```\n</answer>"
