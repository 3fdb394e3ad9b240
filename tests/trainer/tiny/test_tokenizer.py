"""The tokenizer: nothing lost, marks whole, and the same after saving and loading."""

from random import Random

import pytest
from transformers import AutoTokenizer

from trainer_client.prompts.prompt_set import PromptSet
from trainer_client.records.kinds import Role, Task, TaskRole
from trainer_client.tiny.curriculum import ALL_ROLES
from trainer_client.tiny.exercises import ExerciseSource
from trainer_client.tiny.heldout import HeldOut
from trainer_client.tiny.model import fresh_model
from trainer_client.tiny.tokenizer import PYTHON_PIECES, train_tokenizer

PROMPTS = PromptSet.load("tiny")


@pytest.fixture
def texts(config):
    source = ExerciseSource(PROMPTS, config.propose, HeldOut({}))
    drawn = [source.draw(Random(n), role, (1, 1, 1)) for n, role in enumerate(ALL_ROLES * 8)]
    return [text for one in drawn for text in (one.prompt, one.response)]


@pytest.fixture
def tokenizer(texts):
    return train_tokenizer(texts, PROMPTS.markup.all_marks())


def encode(tokenizer, text):
    return tokenizer.encode(text, add_special_tokens=False)


def test_every_text_comes_back_exactly(tokenizer, texts):
    printable = "".join(map(chr, range(0x20, 0x7F))) + "\n\n  \n"
    odd = ["def g(a, b):\n\treturn 1".replace("\t", "    "), "x's 't're  \n \n  ", printable]
    for text in [*texts, *odd]:
        assert tokenizer.decode(encode(tokenizer, text)) == text


def test_marks_and_pieces_are_single_tokens(tokenizer):
    for piece in (*PROMPTS.markup.all_marks(), *PYTHON_PIECES):
        assert len(encode(tokenizer, piece)) == 1


def test_letters_are_never_merged(tokenizer):
    assert len(encode(tokenizer, "'abcabc'")) == 8


def test_a_text_cannot_spell_the_end_token(tokenizer):
    assert tokenizer.eos_token_id not in encode(tokenizer, tokenizer.eos_token)


def test_a_saved_tokenizer_is_loaded_as_it_was_beside_its_model(tokenizer, texts, tmp_path):
    fresh_model(tokenizer, 0).save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    loaded = AutoTokenizer.from_pretrained(tmp_path)
    assert len(loaded) == len(tokenizer)
    for text in [*texts, tokenizer.eos_token]:
        assert encode(loaded, text) == encode(tokenizer, text)
        assert loaded.decode(encode(loaded, text)) == text


def test_a_prompt_of_a_solver_is_short(tokenizer):
    role = TaskRole(Task.DEDUCTION, Role.SOLVE)
    prompt = PROMPTS.render(role, {"program": "def f(x):\n    return x[1:]", "input": "'abcde'"})
    assert len(encode(tokenizer, prompt)) == 16
