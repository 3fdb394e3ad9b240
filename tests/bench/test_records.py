"""Data files are read as they are, and what is wrong with them is named."""

import gzip
import json

import pytest

from executor_service.bench.records import (
    HUMANEVAL,
    INDUCTIONS,
    MBPP,
    TRIPLETS,
    present,
    read_humaneval,
    read_mbpp,
    read_tasks,
    sample,
)
from executor_service.errors import ConfigurationError


def _write(path, *records):
    path.write_text("".join(json.dumps(record) + "\n" for record in records))


def test_triplets_and_induction_tasks_become_the_same_kind_of_task(tmp_path):
    path = tmp_path / TRIPLETS[0]
    _write(
        path,
        {"snippet": "p", "imports": ["import re"], "input": "1", "output": "2"},
        {"snippet": "q", "imports": [], "inputs": ["1", "3"], "outputs": ["2", "4"]},
    )
    first, second = read_tasks(path)
    assert (first.name, first.imports, first.cases) == (
        "7b_coder_seed_io:1",
        ("import re",),
        (("1", "2"),),
    )
    assert second.cases == (("1", "2"), ("3", "4"))


@pytest.mark.parametrize(
    "line", ['{"snippet": "p"}', "[1]", "no json", '{"snippet":1,"inputs":["1"],"outputs":[]}']
)
def test_a_damaged_line_is_an_error_that_names_the_file(tmp_path, line):
    path = tmp_path / INDUCTIONS[0]
    path.write_text(line + "\n")
    with pytest.raises(ConfigurationError, match="7b_coder_code_f_seed_io"):
        list(read_tasks(path))


def test_an_empty_folder_is_an_error_and_absent_files_are_named(tmp_path):
    with pytest.raises(ConfigurationError, match="has none of"):
        present(tmp_path)
    (tmp_path / MBPP).touch()
    there, missing = present(tmp_path)
    assert there == [MBPP]
    assert set(missing) == {*TRIPLETS, *INDUCTIONS, HUMANEVAL}


def test_mbpp_inputs_are_argument_lists_of_base_and_plus(tmp_path):
    record = {
        "task_id": "Mbpp/2",
        "prompt": "assert f((3, 4)) == 1",
        "entry_point": "f",
        "canonical_solution": "def f(x): return x",
        "base_input": [[[1]]],
        "plus_input": [[[2, 3]]],
    }
    _write(tmp_path / MBPP, record)
    (task,) = read_mbpp(tmp_path / MBPP)
    assert task.inputs == ("(1,)", "(2, 3)")
    assert not task.untyped


def test_humaneval_solutions_are_given_to_their_own_check(tmp_path):
    record = {
        "task_id": "HumanEval/0",
        "prompt": "def g():\n",
        "entry_point": "g",
        "canonical_solution": "    return 1\n",
        "test": "def check(candidate):\n    assert candidate() == 1\n",
    }
    with gzip.open(tmp_path / HUMANEVAL, "wt") as file:
        file.write(json.dumps(record) + "\n")
    (task,) = read_humaneval(tmp_path / HUMANEVAL)
    assert (task.entry_point, task.inputs) == ("check", ("g",))
    compile(task.program, "task", "exec")


def test_the_shipped_sample_is_used_without_a_folder():
    assert len(sample(None)) > 40


def test_of_a_folder_only_literal_records_are_taken(tmp_path):
    _write(
        tmp_path / TRIPLETS[1],
        {"snippet": "p", "imports": [], "input": "1", "output": "2"},
        {"snippet": "p", "imports": [], "input": "1", "output": ""},
        {"snippet": "p", "imports": [], "input": "[x for x in 'ab']", "output": "2"},
    )
    assert [task.output for task in sample(tmp_path)] == ["2"]
    _write(tmp_path / TRIPLETS[1])
    with pytest.raises(ConfigurationError, match="no task"):
        sample(tmp_path)
