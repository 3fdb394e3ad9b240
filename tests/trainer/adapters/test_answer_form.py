"""What a trainer calls a completion, and the answer in it: read strictly, never evaluated."""

import pytest

from tests.trainer.adapters.samples import DEDUCTION, RIGHT, SAMPLES, response
from trainer_client.adapters import AnswerForm
from trainer_client.errors import DataError, FormatError

FORM = AnswerForm.load("azr")
ANSWER = "<answer>```output\n8\n```</answer>"


@pytest.mark.parametrize(("sample", "text"), list(zip(SAMPLES, RIGHT, strict=True)))
def test_right_responses_are_read(sample, text):
    assert FORM.answer(sample, text)
    assert FORM.answer(sample, [{"role": "assistant", "content": text}]) == FORM.answer(
        sample, text
    )


@pytest.mark.parametrize(
    ("thought", "text"),
    [
        ("prompt", f"8.</think>{ANSWER}"),
        ("response", f"<think>8.</think>{ANSWER}"),
        ("none", ANSWER),
    ],
)
def test_the_thought_is_opened_by_whoever_opens_it(thought, text):
    form = AnswerForm.load("azr", thought=thought)
    assert form.answer(DEDUCTION, text) == "8"
    others = {"prompt", "response", "none"} - {thought}
    for other in others:
        with pytest.raises(FormatError):
            AnswerForm.load("azr", thought=other).answer(DEDUCTION, text)


@pytest.mark.parametrize("ending", ["<|im_end|>", "</s>\n", "<|im_end|>\n<|endoftext|>" * 3, " "])
def test_what_a_model_ends_its_turn_with_is_taken_off(ending):
    assert FORM.answer(DEDUCTION, response("8") + ending) == "8"


def test_a_thought_that_a_reasoning_parser_took_is_put_back():
    message = {"role": "assistant", "content": ANSWER, "reasoning_content": "It is 8."}
    for thought in ("prompt", "response", "none"):
        assert AnswerForm.load("azr", thought=thought).answer(DEDUCTION, [message]) == "8"


def test_messages_in_parts_are_read_by_their_text():
    image = {"type": "image_url", "image_url": {}}
    parts = [{"type": "text", "text": "8.</think>"}, image, {"type": "text", "text": ANSWER}]
    messages = [{"role": "user", "content": "?"}, {"role": "assistant", "content": parts}]
    assert FORM.answer(DEDUCTION, messages) == "8"


@pytest.mark.parametrize(
    "text",
    [
        "8",
        response("8") + "Really.",
        response("8") + response("9"),
        response("8") + "<|im_end|>8",
        f"</think>{ANSWER}{ANSWER}",
        f"<think></think>{ANSWER}",
        "</think><answer>```input\n8\n```</answer>",
        [{"role": "user", "content": response("8")}],
        [{"role": "assistant", "content": None}],
    ],
)
def test_anything_else_is_badly_formatted(text):
    with pytest.raises(FormatError):
        FORM.answer(DEDUCTION, text)


@pytest.mark.parametrize("completion", [8, None, [], [8], b"8"])
def test_what_is_no_completion_is_an_error_of_the_settings(completion):
    with pytest.raises(DataError, match="completion"):
        FORM.answer(DEDUCTION, completion)


def test_a_form_that_there_is_not_is_named():
    with pytest.raises(DataError, match="thought: 'inside' is none of"):
        AnswerForm.load("azr", thought="inside")
    with pytest.raises(DataError, match="no prompt set nowhere"):
        AnswerForm.load("nowhere")


def test_a_flood_of_endings_is_read_in_linear_time():
    with pytest.raises(FormatError):
        FORM.answer(DEDUCTION, "<|im_end|> " * 200_000)
