"""``benchmarks/trainer*.py``: the arithmetic of the floor, and the words of a random model."""

import importlib
import sys
from pathlib import Path
from random import Random

import pytest
import torch

from trainer_client.prompts.prompt_set import PromptSet
from trainer_client.records.kinds import Task
from trainer_client.records.problems import Case, InductionProblem, Triplet
from trainer_client.tasks.kind import ProposePrompt
from trainer_client.tasks.registry import task_kind

FOLDER = Path(__file__).parents[2] / "benchmarks"
TRIPLET = Triplet("def f(x):\n    return x + 30", "4", "34")
CASES = (Case("1", "31"), Case("2", "32"))
INDUCTION = InductionProblem(TRIPLET.program, "add", CASES, CASES)


@pytest.fixture(scope="module", autouse=True)
def folder():
    sys.path.insert(0, str(FOLDER))
    yield
    sys.path.remove(str(FOLDER))


@pytest.fixture(scope="module")
def floor():
    return importlib.import_module("trainer_floor")


@pytest.fixture(scope="module")
def words():
    return importlib.import_module("trainer_words")


@pytest.fixture(scope="module")
def shapes():
    return importlib.import_module("trainer_model")


def test_decoding_takes_the_longer_of_its_products_and_its_bytes(floor):
    size = floor.Size(body=900, head=100, all=1000, kv_values=10)
    call = floor.Call(read=8, prompts=(4, 4), responses=(3, 3), seconds=1.0)
    read = 2 * (900 * 8 + 100 * 2)
    quick_bytes = floor.Rates(flops=1.0, bytes=1e12)
    decoded = 2 * 1000 * 4
    assert floor.sampling_floor([call], size, quick_bytes, 2) == pytest.approx(read + decoded)
    quick_flops = floor.Rates(flops=1e12, bytes=1.0)
    # Two decode steps; a row's cache holds 5 and then 6 positions.
    values = 2 * 1000 + 2 * (5 + 6) * 10
    assert floor.sampling_floor([call], size, quick_flops, 2) == pytest.approx(values * 2)


def test_training_takes_six_or_eight_flops_a_parameter_and_the_optimizers_bytes(floor):
    size = floor.Size(body=900, head=100, all=1000, kv_values=10)
    rates = floor.Rates(flops=2.0, bytes=7.0)
    products = 900 * 10 + 100 * 4
    for recompute, factor in ((False, 6), (True, 8)):
        found = floor.training_floor(10, 4, size, rates, recompute=recompute)
        assert found == pytest.approx(factor * products / 2 + 4 * 1000)


@pytest.mark.parametrize(("shape", "billions"), [("0.5b", 0.494), ("3b", 3.086), ("7b", 7.616)])
def test_the_shapes_have_as_many_parameters_as_the_published_models(floor, shapes, shape, billions):
    class Tokenizer:
        pad_token_id, eos_token_id = 0, 1

    model = shapes.random_model(shape, Tokenizer(), torch.device("meta"))
    size = floor.size_of(model)
    assert size.all / 1e9 == pytest.approx(billions, abs=0.001)
    config = model.config
    assert size.head == config.vocab_size * config.hidden_size
    assert size.body + size.head * (1 if config.tie_word_embeddings else 2) == size.all


def test_rates_are_measured(floor):
    rates = floor.measured_rates(torch.device("cpu"), torch.float32)
    assert rates.flops > 1e8
    assert rates.bytes > 1e7


def test_the_filled_up_tokenizer_is_as_large_as_the_model_and_writes_the_same_words(shapes):
    marks = PromptSet.load("tiny").markup.all_marks()
    tokenizer = shapes.full_tokenizer(marks, 1000)
    assert len(tokenizer) == 1000
    text = "<solve_deduction><p>def f(x):\n    return x + 17</p>"
    encoded = tokenizer.encode(text, add_special_tokens=False)
    assert tokenizer.decode(encoded) == text
    assert tokenizer.decode([999])


@pytest.mark.parametrize("prompts", ["tiny", "azr"])
def test_words_are_valid_proposals_and_right_or_wrong_answers_in_the_asked_form(words, prompts):
    markup = PromptSet.load(prompts).markup
    for task in (Task.DEDUCTION, Task.ABDUCTION, Task.INDUCTION):
        kind = task_kind(task)
        problem = INDUCTION if task is Task.INDUCTION else TRIPLET
        said = words.answer(task, kind.solve_variables(problem), markup, None)
        assert said == kind.demonstration(problem, markup)
        wrong = words.answer(task, kind.solve_variables(problem), markup, Random(0))
        assert kind.parse_answer(wrong, markup) != kind.parse_answer(said, markup)
        prompt = ProposePrompt({"inputs": 4}, base=TRIPLET, inputs=4)
        proposed = words.propose(task, prompt.variables, markup, Random(1))
        found = kind.parse_proposal(proposed, markup, prompt)
        assert len(found.inputs) == (4 if task is Task.INDUCTION else 1)
