"""Rows of datasets, as trainers hand them over, become samples or an error that names the field."""

import json

import pytest

from tests.trainer.adapters.samples import DOUBLE, SAMPLES
from trainer_client.adapters import Sample
from trainer_client.errors import DataError
from trainer_client.records.problems import Case

ROW = {"task": "deduction", "program": DOUBLE, "input": "4", "output": "8"}
CASES = (Case("1", "2"), Case("5", "10"))


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.task)
def test_a_sample_survives_its_row_and_its_label(sample):
    assert Sample.read(sample.fields()) == sample
    assert Sample.read(sample.label()) == sample


@pytest.mark.parametrize(
    "hidden",
    [
        [{"input": "1", "output": "2"}, {"input": "5", "output": "10"}],
        [["1", "2"], ("5", "10")],
        {"input": ["1", "5"], "output": ["2", "10"]},
        json.dumps([["1", "2"], ["5", "10"]]),
    ],
    ids=["structs", "pairs", "struct of lists", "json"],
)
def test_hidden_cases_are_read_in_every_shape_that_tables_give_them(hidden):
    numpy = pytest.importorskip("numpy")
    assert Sample.read({"task": "induction", "hidden": hidden}).problem.hidden == CASES
    if isinstance(hidden, list):
        array = numpy.empty(len(hidden), dtype=object)
        array[:] = [numpy.array(case) if isinstance(case, list) else case for case in hidden]
        assert Sample.read({"task": "induction", "hidden": array}).problem.hidden == CASES


def test_what_a_table_fills_up_counts_as_not_there():
    row = ROW | {"hidden": [], "imports": None, "equality": None, "entry_point": None, "id": 7}
    assert Sample.read(row) == SAMPLES[0]


def test_entry_point_and_equality_reach_the_item():
    sample = Sample.read(ROW | {"entry_point": "g", "equality": "python", "imports": ["import re"]})
    item = sample.item("8")
    assert (item["entry_point"], item["equality"], item["imports"]) == (
        "g",
        "python",
        ["import re"],
    )
    assert Sample.read(sample.label()) == sample


def test_columns_become_rows():
    columns = {name: [value, value] for name, value in ROW.items()}
    assert Sample.read_columns(columns | {"trainer_state": object()}, 2) == [SAMPLES[0]] * 2


@pytest.mark.parametrize(
    ("label", "message"),
    [
        ("8", "the label: neither a mapping"),
        ("x = 8", "the label: no JSON object with a field task: 'x = 8'"),
        (None, "the label: neither a mapping .* but NoneType"),
        ({}, "the label: task: one of deduction"),
        (ROW | {"task": "guess"}, "task: 'guess' is none of deduction, abduction"),
        ({"task": "deduction", "program": DOUBLE}, "output: deduction needs this field"),
        ({"task": "abduction", "output": "8"}, "program: abduction needs this field"),
        ({"task": "induction", "program": DOUBLE}, "hidden: induction needs this field"),
        (ROW | {"output": 8}, "output: text is wanted .* not int"),
        (ROW | {"equality": "close"}, "equality: one of typed, python, approx"),
        (ROW | {"imports": [1]}, "imports: a list of texts"),
        ({"task": "induction", "hidden": [["1"]]}, r"hidden\[0\]: an input and an output"),
        ({"task": "induction", "hidden": [{"input": "1"}]}, r"hidden\[0\]: an input and an output"),
        ({"task": "induction", "hidden": "1, 2"}, "hidden: this text is no JSON list"),
        ({"task": "induction", "hidden": {"input": ["1"]}}, "hidden: 1 inputs and 0 outputs"),
    ],
)
def test_a_row_that_is_not_right_is_an_error_that_names_the_field(label, message):
    with pytest.raises(DataError, match=message):
        Sample.read(label)


def test_columns_that_are_not_right_are_named():
    with pytest.raises(DataError, match="task: the dataset has no such column, only gold, id"):
        Sample.read_columns({"id": [1], "gold": [2]}, 1)
    with pytest.raises(DataError, match="output: 1 values for 2 completions"):
        Sample.read_columns({"task": ["deduction"] * 2, "output": ["8"]}, 2)
    columns = {"task": ["deduction"] * 2, "program": [DOUBLE] * 2, "output": ["8", None]}
    with pytest.raises(DataError, match="row 1: output: deduction needs this field"):
        Sample.read_columns(columns, 2)
