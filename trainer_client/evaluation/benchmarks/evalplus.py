"""HumanEval+ and MBPP+ as the EvalPlus project releases them."""

from pathlib import Path
from typing import Any

from pydantic import BaseModel

from trainer_client.evaluation.benchmarks.files import read
from trainer_client.evaluation.benchmarks.mbpp_inputs import restored
from trainer_client.evaluation.problems import FunctionProblem


class _Row(BaseModel):
    task_id: str
    prompt: str
    entry_point: str
    canonical_solution: str
    base_input: list[list[Any]]
    plus_input: list[list[Any]]
    atol: float


class _MbppRow(_Row):
    # A task without further inputs has an empty object there.
    plus_input: Any

    def added(self) -> list[list[Any]]:
        return list(self.plus_input) if self.plus_input else []


def read_humaneval_plus(path: Path) -> list[FunctionProblem]:
    """Return the problems of HumanEvalPlus.jsonl.

    Raises:
        DataError: the file is damaged.
    """
    return [
        FunctionProblem(
            id=row.task_id,
            prompt=row.prompt,
            entry_point=row.entry_point,
            canonical=row.prompt + row.canonical_solution,
            base=tuple(map(tuple, row.base_input)),
            plus=tuple(map(tuple, row.plus_input)),
            atol=row.atol,
            dataset="humaneval",
        )
        for row in read(path, _Row)
    ]


def read_mbpp_plus(path: Path) -> list[FunctionProblem]:
    """Return the problems of MbppPlus.jsonl, or of a part of it.

    Raises:
        DataError: the file is damaged.
    """
    return [
        FunctionProblem(
            id=row.task_id,
            prompt=row.prompt,
            entry_point=row.entry_point,
            canonical=row.prompt + row.canonical_solution,
            base=tuple(restored(row.task_id, each) for each in row.base_input),
            plus=tuple(restored(row.task_id, each) for each in row.added()),
            atol=row.atol,
            dataset="mbpp",
        )
        for row in read(path, _MbppRow)
    ]
