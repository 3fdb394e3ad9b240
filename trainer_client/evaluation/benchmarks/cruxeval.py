"""CRUXEval: programs with an input and an output, either of which is to be predicted."""

from pathlib import Path
from typing import Literal

from pydantic import BaseModel

from trainer_client.evaluation.benchmarks.files import read
from trainer_client.evaluation.problems import TraceProblem


class _Row(BaseModel):
    id: str
    code: str
    input: str
    output: str


def read_input_prediction(path: Path) -> list[TraceProblem]:
    """Return CRUXEval-I: an input is asked for.

    Raises:
        DataError: the file is damaged.
    """
    return _read(path, "input")


def read_output_prediction(path: Path) -> list[TraceProblem]:
    """Return CRUXEval-O: the output is asked for.

    Raises:
        DataError: the file is damaged.
    """
    return _read(path, "output")


def _read(path: Path, predicts: Literal["input", "output"]) -> list[TraceProblem]:
    return [
        TraceProblem(row.id, row.code, row.input, row.output, predicts) for row in read(path, _Row)
    ]
