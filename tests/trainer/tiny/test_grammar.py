"""The grammar's interpreter against the real verifier, and what is drawn from it."""

from random import Random

import pytest

from trainer_client.config.run import VerifierConfig
from trainer_client.tiny.grammar import (
    FAMILIES,
    INPUT_LENGTHS,
    LETTERS,
    Program,
    draw_input,
    draw_inputs,
    draw_program,
    draw_steps,
    literal,
)
from trainer_client.verifier.session import Verifier


def test_every_operation_and_their_chains_do_what_python_does(url):
    rng = Random(7)
    programs = [Program((operation,)) for family in FAMILIES for operation in family]
    programs += [draw_program(rng, steps) for steps in (2, 3) for _ in range(40)]
    texts = [draw_input(rng) for _ in programs]
    items = [
        {"op": "execute", "program": program.source, "inputs": [literal(text)]}
        for program, text in zip(programs, texts, strict=True)
    ]
    with Verifier(VerifierConfig(url=url)) as verifier:
        results = verifier.submit(items).results()
    for program, text, result in zip(programs, texts, results, strict=True):
        (outcome,) = result["outcomes"]
        assert outcome["output"] == literal(program.run(text)), program.source


def test_an_empty_text_has_a_literal_too():
    assert literal(Program((FAMILIES[2][0],)).run("a")) == "''"


def test_a_text_that_could_end_its_literal_is_refused():
    with pytest.raises(ValueError, match="not a text"):
        literal("a'b")


def test_programs_are_written_one_step_to_a_line():
    reverse, upper = FAMILIES[0][0], FAMILIES[1][0]
    assert Program((reverse, upper)).source == ("def f(x):\n    x = x[::-1]\n    return x.upper()")


def test_drawn_inputs_are_different_and_within_the_alphabet():
    texts = draw_inputs(Random(0), 500)
    assert len(set(texts)) == 500
    assert all(len(text) in INPUT_LENGTHS and set(text) <= set(LETTERS) for text in texts)


def test_steps_are_drawn_by_their_weights():
    rng = Random(0)
    drawn = [draw_steps(rng, (7, 3, 0)) for _ in range(2000)]
    assert set(drawn) == {1, 2}
    assert 0.65 < drawn.count(1) / 2000 < 0.75


def test_the_same_seed_draws_the_same_programs():
    assert [draw_program(Random(3), 3).source for _ in range(2)] == [
        draw_program(Random(3), 3).source
    ] * 2
