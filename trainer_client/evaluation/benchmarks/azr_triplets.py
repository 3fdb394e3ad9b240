"""AZR's published triplets (program, input, output), either end of which is to be predicted.

They are seeds of self-play, proposed by a model and recorded by AZR's executor: some outputs depend
on a hash seed or a clock, and no answer to those is reliably right. ``--solutions canonical`` shows
which.
"""

from pathlib import Path
from typing import Literal

from pydantic import BaseModel

from trainer_client.evaluation.benchmarks.files import read
from trainer_client.evaluation.problems import TraceProblem


class _Row(BaseModel):
    snippet: str
    input: str
    output: str
    imports: tuple[str, ...] = ()


def read_triplet_inputs(path: Path) -> list[TraceProblem]:
    """Return the triplets as problems of abduction: an input is asked for.

    Raises:
        DataError: the file is damaged.
    """
    return _read(path, "input")


def read_triplet_outputs(path: Path) -> list[TraceProblem]:
    """Return the triplets as problems of deduction: the output is asked for.

    Raises:
        DataError: the file is damaged.
    """
    return _read(path, "output")


def _read(path: Path, predicts: Literal["input", "output"]) -> list[TraceProblem]:
    return [
        TraceProblem(
            f"azr/{number}", "\n".join((*row.imports, row.snippet)), row.input, row.output, predicts
        )
        for number, row in enumerate(read(path, _Row))
    ]
