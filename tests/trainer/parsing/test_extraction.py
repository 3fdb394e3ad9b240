"""Extraction: one answer, one block of each kind, or an error that says what is wrong."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainer_client.errors import FormatError
from trainer_client.parsing.extraction import (
    MAX_VALUE_CHARS,
    ONE,
    Wanted,
    blocks,
    extract_answer,
    lone_value,
)
from trainer_client.parsing.markup import Markup, Part
from trainer_client.prompts.prompt_set import PromptSet

TINY = PromptSet.load("tiny").markup
AZR = PromptSet.load("azr").markup
MARKUPS = st.sampled_from([TINY, AZR])
PAIR = {Part.PROGRAM: ONE, Part.INPUT: ONE}
GOOD = "why\n</think>\n<answer>\nSo:\n```output\n[1, 2]\n```\nDone.\n</answer>\n"


def refusal(response: str, part: Part = Part.OUTPUT, markup: Markup = AZR) -> str:
    with pytest.raises(FormatError) as caught:
        lone_value(response, markup, part)
    return str(caught.value)


def test_the_answer_is_read_from_its_block_whatever_words_stand_beside():
    assert lone_value(GOOD, AZR, Part.OUTPUT) == "[1, 2]"


def test_a_thought_may_hold_blocks_of_any_kind():
    thought = "Perhaps\n```output\n[3]\n```\nor `f` of ```\nno"
    assert lone_value(thought + GOOD, AZR, Part.OUTPUT) == "[1, 2]"


def test_a_program_keeps_its_inner_layout():
    program = "def f(x):\n\n    return x\n"
    response = AZR.lone_answer(Part.PROGRAM, "\n" + program)
    assert lone_value(response, AZR, Part.PROGRAM) == program.rstrip()


def test_an_input_may_be_empty_since_a_function_may_take_nothing():
    assert lone_value("</think><answer>```input\n```</answer>", AZR, Part.INPUT) == ""


@pytest.mark.parametrize(
    ("response", "said"),
    [
        ("[1, 2]", "</think> stands 0 times"),
        (GOOD + "P.S.", "text after the answer"),
        (GOOD + "<answer>```output\n5\n```</answer>", "<answer> stands 2 times"),
        ("<answer>no</answer>" + GOOD, "<answer> stands 2 times"),
        ("<think>" + GOOD, "<think> stands 2 times"),
        (GOOD.replace("</answer>", ""), "</answer> stands 0 times"),
        (GOOD.replace("<answer>", "Well: <answer>"), "outside of thought and answer"),
        ("<answer>\n```output\n1\n```\n</answer></think>", "out of order"),
        ("</answer></think><answer>", "out of order"),
        ("</think><answer>[1, 2]</answer>", "0 blocks of the output"),
        (GOOD.replace("Done.", "```output\n5\n```"), "more than 1 blocks of the output"),
        (GOOD.replace("Done.", "```input\n5\n```"), "```input in the answer was not asked for"),
        (GOOD.replace("Done.", "```json\n5\n```"), "``` in the answer was not asked for"),
        (GOOD.replace("[1, 2]", "```input\n1"), "```input within the block of the output"),
        (GOOD.replace("2]\n```", "2]"), "the block of the output does not end"),
        (GOOD.replace("[1, 2]", " "), "the output is empty"),
        (GOOD.replace("[1, 2]", "'a\nUser: hello'"), "contains 'User:'"),
        (GOOD.replace("[1, 2]", "Assistant: 5"), "contains 'Assistant:'"),
        (GOOD.replace("[1, 2]", "\ud800"), "not Unicode text"),
        (GOOD.replace("[1, 2]", "1" * (MAX_VALUE_CHARS + 1)), "100001 characters"),
    ],
)
def test_whatever_is_not_in_the_form_is_refused_and_said(response, said):
    assert said in refusal(response)


def test_a_bare_answer_may_not_hold_any_mark():
    assert lone_value(TINY.lone_answer(Part.OUTPUT, "'a'"), TINY, Part.OUTPUT) == "'a'"
    assert "contains '<o>'" in refusal(TINY.lone_answer(Part.OUTPUT, "<o>'a'</o>"), markup=TINY)
    assert "contains '<solve_error>'" in refusal(
        TINY.lone_answer(Part.OUTPUT, "'<solve_error>'"), markup=TINY
    )


def test_a_forbidden_text_may_not_stand_in_a_value():
    barred = TINY.forbidding(["<|end|>"])
    response = TINY.lone_answer(Part.OUTPUT, "'<|end|>'")
    assert lone_value(response, TINY, Part.OUTPUT) == "'<|end|>'"
    assert "'<|end|>', a mark" in refusal(response, markup=barred)


def test_repeated_blocks_come_in_order_and_in_the_number_asked_for():
    answer = "".join(TINY.block(Part.INPUT, str(n)) for n in range(3))
    assert blocks(answer, TINY, {Part.INPUT: Wanted(3, 3)}) == {Part.INPUT: ["0", "1", "2"]}
    with pytest.raises(FormatError, match="3 blocks of the input, not 4"):
        blocks(answer, TINY, {Part.INPUT: Wanted(4, 4)})
    with pytest.raises(FormatError, match="more than 2 blocks of the input"):
        blocks(answer, TINY, {Part.INPUT: Wanted(2, 2)})


@pytest.mark.parametrize("filler", ["<i>", "<i></i>", "</think>", "<answer>", "```input\n", "```"])
@pytest.mark.parametrize("markup", [TINY, AZR], ids=["tiny", "azr"])
def test_a_hostile_text_of_megabytes_is_refused_at_once(filler, markup):
    # Anything quadratic in the number of marks would outlast the test's time limit many times.
    noise = filler * (3_000_000 // len(filler))
    for response in (noise, markup.response([noise]), markup.response([noise])[:-9] + noise):
        with pytest.raises(FormatError):
            blocks(extract_answer(response, markup), markup, PAIR)


def texts() -> st.SearchStrategy[str]:
    """Texts in which marks, whole and in pieces, are common."""
    marks = sorted({*TINY.all_marks(), *AZR.all_marks()})
    pieces = st.sampled_from([*marks, *(mark[:-1] for mark in marks), "\n", " ", "x"])
    return st.lists(pieces | st.text(max_size=3), max_size=12).map("".join)


@given(markup=MARKUPS, text=texts())
def test_any_text_is_read_or_refused_never_more(markup, text):
    for part in Part:
        try:
            value = lone_value(text, markup, part)
        except FormatError:
            continue
        assert value in text
        assert not any(mark in value for mark in markup.barred())


@given(markup=MARKUPS, program=texts(), argument=texts())
def test_what_is_written_is_read_back_or_refused_but_never_read_as_something_else(
    markup, program, argument
):
    response = markup.response(
        [markup.block(Part.PROGRAM, program), markup.block(Part.INPUT, argument)]
    )
    try:
        found = blocks(extract_answer(response, markup), markup, PAIR)
    except FormatError:
        return
    assert found[Part.PROGRAM] == [program.strip("\r\n").rstrip()]
    assert found[Part.INPUT] == [argument.strip()]


@given(markup=MARKUPS, value=st.text(alphabet="ab '(),=\n", min_size=1).filter(str.strip))
def test_an_ordinary_value_survives_the_way_there_and_back(markup, value):
    response = markup.lone_answer(Part.OUTPUT, value)
    assert lone_value(response, markup, Part.OUTPUT) == value.strip()


@given(markup=MARKUPS, more=texts())
def test_nothing_but_white_space_may_follow_an_answer(markup, more):
    response = markup.lone_answer(Part.OUTPUT, "1")
    if more.strip():
        with pytest.raises(FormatError):
            lone_value(response + more, markup, Part.OUTPUT)
    else:
        assert lone_value(response + more, markup, Part.OUTPUT) == "1"
