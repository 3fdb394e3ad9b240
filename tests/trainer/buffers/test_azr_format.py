"""AZR's files: read as published, refused with line and field, written so that they read back."""

import json
from pathlib import Path

import pytest

from trainer_client.buffers.azr_format import (
    read_induction,
    read_triplets,
    write_induction,
    write_triplets,
)
from trainer_client.buffers.zero import zero_induction, zero_triplet
from trainer_client.errors import DataError
from trainer_client.records.problems import Case, InductionProblem, Triplet

TRIPLET_ROW = {
    "snippet": "def f(a):\n    return a",
    "input": '"x"',
    "output": "'x'",
    "imports": ["import re"],
    "original_snippet": "def f(a):\n    return a",
    "composite_functions": [],
    "_input_type": "str",
}
INDUCTION_ROW = {
    "snippet": "def f(a):\n    return a",
    "inputs": ["1", "2", "3"],
    "outputs": ["1", "2", "3"],
    "message": "same",
    "imports": [],
}


def lines(path: Path, *rows: object) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_a_triplet_as_azr_writes_it_is_read(tmp_path):
    path = lines(tmp_path / "t.jsonl", TRIPLET_ROW)
    expected = Triplet("def f(a):\n    return a", '"x"', "'x'", ("import re",))
    assert read_triplets(path) == [expected]


def test_the_first_half_of_an_induction_row_is_given_and_the_rest_hidden(tmp_path):
    (problem,) = read_induction(lines(tmp_path / "i.jsonl", INDUCTION_ROW))
    assert problem.given == (Case("1", "1"),)
    assert problem.hidden == (Case("2", "2"), Case("3", "3"))


def test_what_is_written_is_read_back(tmp_path):
    triplets = [zero_triplet(), Triplet("def f():\n    return '\u2028é'", "", "'é'", ("import a",))]
    write_triplets(tmp_path / "t.jsonl", triplets)
    assert read_triplets(tmp_path / "t.jsonl") == triplets
    problems = [zero_induction(10), InductionProblem("p", "m", (Case("", "1"),), (Case("2", ""),))]
    write_induction(tmp_path / "i.jsonl", problems)
    assert read_induction(tmp_path / "i.jsonl") == problems


def test_a_written_row_has_the_fields_that_azr_reads(tmp_path):
    write_triplets(tmp_path / "t.jsonl", [zero_triplet()])
    row = json.loads((tmp_path / "t.jsonl").read_text())
    assert set(TRIPLET_ROW) - {"_input_type"} == set(row)
    write_induction(tmp_path / "i.jsonl", [zero_induction()])
    assert set(json.loads((tmp_path / "i.jsonl").read_text())) == set(INDUCTION_ROW)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"snippet": None}, "line 2: snippet"),
        ({"input": 5}, "line 2: input"),
        ({"imports": ["import re", 1]}, "line 2: imports.1"),
    ],
)
def test_a_damaged_triplet_is_refused_with_file_line_and_field(tmp_path, change, said):
    path = lines(tmp_path / "t.jsonl", TRIPLET_ROW, TRIPLET_ROW | change)
    with pytest.raises(DataError) as caught:
        read_triplets(path)
    assert str(caught.value).startswith(f"{path}, {said}: ")


def test_a_row_that_is_no_json_is_refused_with_its_line(tmp_path):
    path = tmp_path / "t.jsonl"
    path.write_text("\n{no\n")
    with pytest.raises(DataError, match=r"t\.jsonl, line 2: Invalid JSON"):
        read_triplets(path)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"outputs": ["1"]}, "line 1: outputs: 1 outputs for 3 inputs"),
        ({"inputs": ["1"], "outputs": ["1"]}, "line 1: inputs: at least two"),
        ({"message": []}, "line 1: message"),
    ],
)
def test_a_damaged_induction_row_is_refused_with_line_and_field(tmp_path, change, said):
    with pytest.raises(DataError) as caught:
        read_induction(lines(tmp_path / "i.jsonl", INDUCTION_ROW | change))
    assert said in str(caught.value)


def test_a_file_that_is_missing_or_no_text_is_an_error_of_data(tmp_path):
    with pytest.raises(DataError, match="No such file"):
        read_triplets(tmp_path / "none.jsonl")
    (tmp_path / "t.jsonl").write_bytes(b"\xff\xfe")
    with pytest.raises(DataError, match="not UTF-8"):
        read_triplets(tmp_path / "t.jsonl")


def test_the_zero_induction_task_has_as_many_different_cases_as_asked_for():
    for count in (2, 6, 10, 25):
        problem = zero_induction(count)
        cases = [*problem.given, *problem.hidden]
        assert len({case.input for case in cases}) == count
        assert len(problem.given) == count // 2
