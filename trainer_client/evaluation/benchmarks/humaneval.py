"""HumanEval as OpenAI publishes it: assertions that run beside the candidate."""

from pathlib import Path

from pydantic import BaseModel

from trainer_client.evaluation.benchmarks.files import read
from trainer_client.evaluation.problems import CheckedProblem


class _Row(BaseModel):
    task_id: str
    prompt: str
    entry_point: str
    canonical_solution: str
    test: str


def read_humaneval(path: Path) -> list[CheckedProblem]:
    """Return the problems of HumanEval.jsonl.

    Raises:
        DataError: the file is damaged.
    """
    return [
        CheckedProblem(
            id=row.task_id,
            prompt=row.prompt,
            entry_point=row.entry_point,
            canonical=row.prompt + row.canonical_solution,
            test=row.test,
        )
        for row in read(path, _Row)
    ]
