"""Markup: read from YAML, refused where its marks could be confused, and what it writes."""

import pytest

from trainer_client.errors import DataError
from trainer_client.parsing.markup import Markup, Part
from trainer_client.prompts.prompt_set import PromptSet

TINY = PromptSet.load("tiny").markup
AZR = PromptSet.load("azr").markup

YAML = """
think: {open: "[t]", close: "[/t]"}
think_opened_by_prompt: false
answer: {open: "[a]", close: "[/a]"}
program: {open: "[p]", close: "[/p]"}
input: {open: "[i]", close: "[/i]"}
output: {open: "[o]", close: "[/o]"}
message: {open: "[m]", close: "[/m]"}
"""


def refusal(text: str) -> str:
    with pytest.raises(DataError) as caught:
        Markup.from_yaml(text, "set/markup.yaml")
    return str(caught.value)


def test_a_file_is_read_and_its_marks_listed_once():
    markup = Markup.from_yaml(YAML + "frame: ['[a]', USER]", "x")
    assert markup.all_marks() == (
        "[t]", "[/t]", "[a]", "[/a]", "[p]", "[/p]", "[i]", "[/i]", "[o]", "[/o]", "[m]", "[/m]",
        "USER",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("[i]", "[p]", "two openings are the same"),
        ("[p]", "[p][a]", "is part of another mark"),
        ("[m]", "", "message.open"),
        ("message:", "mesage:", "message: Field required"),
        ("think_opened_by_prompt: false", "", "think_opened_by_prompt: Field required"),
        ("answer:", "answer: [", "not YAML"),
    ],
)
def test_a_faulty_file_is_refused_with_its_name_and_field(old, new, said):
    message = refusal(YAML.replace(old, new))
    assert message.startswith("set/markup.yaml: ")
    assert said in message


def test_a_tiny_response_has_only_marks_and_values():
    assert TINY.lone_answer(Part.OUTPUT, "'ab'") == "<think></think><answer>'ab'</answer>"


def test_an_azr_response_goes_on_where_the_prompt_opened_the_thought():
    assert AZR.lone_answer(Part.OUTPUT, "'ab'") == (
        "\n</think>\n<answer>\n```output\n'ab'\n```\n</answer>"
    )


def test_further_forbidden_texts_are_added_and_empty_ones_ignored():
    more = TINY.forbidding(["<|end|>", ""]).forbidding(["<|end|>", "<|pad|>"])
    assert more.forbidden == ("<|end|>", "<|pad|>")
    assert TINY.forbidden == ()
    assert set(more.barred()) == {*TINY.all_marks(), "<|end|>", "<|pad|>"}
