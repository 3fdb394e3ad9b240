"""AZR's JSON-lines files of triplets and of induction problems, in and out.

Fields that AZR writes for itself (``_input_type``, ``composite_functions`` ...) are read over. An
output in such a file is what somebody recorded: `TaskKind.as_proposal` validates it anew.
"""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from trainer_client.buffers.cases import given_and_hidden
from trainer_client.buffers.json_lines import read_rows
from trainer_client.errors import DataError
from trainer_client.records.problems import Case, InductionProblem, Triplet


class _TripletRow(BaseModel):
    snippet: str
    input: str
    output: str
    imports: tuple[str, ...] = ()


class _InductionRow(BaseModel):
    snippet: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    message: str
    imports: tuple[str, ...] = ()


def read_triplets(path: Path) -> list[Triplet]:
    """Read a file of ``{snippet, input, output, imports}``.

    Raises:
        DataError: it is damaged; the message names the line and the field.
    """
    return [
        Triplet(row.snippet, row.input, row.output, row.imports)
        for _, row in read_rows(path, _TripletRow)
    ]


def write_triplets(path: Path, triplets: Iterable[Triplet]) -> None:
    """Write a file that AZR's loader takes; the birth steps are not part of the format."""
    _write(
        path,
        (
            {
                "snippet": one.program,
                "input": one.input,
                "output": one.output,
                "imports": list(one.imports),
                "original_snippet": one.program,
                "composite_functions": [],
            }
            for one in triplets
        ),
    )


def read_induction(path: Path) -> list[InductionProblem]:
    """Read a file of ``{snippet, inputs, outputs, message, imports}``.

    The first half of the cases is given, the second half hidden.

    Raises:
        DataError: it is damaged; the message names the line and the field.
    """
    problems = []
    for place, row in read_rows(path, _InductionRow):
        if len(row.inputs) != len(row.outputs):
            raise DataError(
                f"{place}: outputs: {len(row.outputs)} outputs for {len(row.inputs)} inputs"
            )
        if len(row.inputs) < 2:
            raise DataError(f"{place}: inputs: at least two are needed, one to show, one to hide")
        given, hidden = given_and_hidden(list(map(Case, row.inputs, row.outputs)))
        problems.append(InductionProblem(row.snippet, row.message, given, hidden, row.imports))
    return problems


def write_induction(path: Path, problems: Iterable[InductionProblem]) -> None:
    """Write a file that AZR's loader takes; the birth steps are not part of the format."""
    _write(
        path,
        (
            {
                "snippet": one.program,
                "inputs": [case.input for case in (*one.given, *one.hidden)],
                "outputs": [case.output for case in (*one.given, *one.hidden)],
                "message": one.message,
                "imports": list(one.imports),
            }
            for one in problems
        ),
    )


def _write(path: Path, rows: Iterable[dict[str, Any]]) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(row) + "\n" for row in rows)
