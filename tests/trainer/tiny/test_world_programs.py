"""The typed world's interpreter against the real verifier, and the runs it writes down."""

from random import Random

import pytest

from trainer_client.config.run import VerifierConfig
from trainer_client.tiny.worlds.operations import FAMILIES
from trainer_client.tiny.worlds.programs import (
    TRIES,
    TypedProgram,
    Undefined,
    draw_program_and_inputs,
    draw_typed_program,
)
from trainer_client.tiny.worlds.values import Kind, draw_value, literal
from trainer_client.verifier.session import Verifier


def outcomes(url, runs):
    """Return what the verifier's Python makes of (source, argument) pairs."""
    items = [{"op": "execute", "program": each, "inputs": [given]} for each, given in runs]
    with Verifier(VerifierConfig(url=url)) as verifier:
        results = verifier.submit(items).results()
    return [result["outcomes"][0] for result in results]


def defined(program, rng):
    """Return an input that the program is defined on, or None."""
    for _ in range(TRIES):
        value = draw_value(rng, program.takes)
        try:
            program.run(value)
        except Undefined:
            continue
        return value
    return None


def test_every_operation_does_what_python_does(url):
    rng = Random(7)
    runs = []
    for kind, families in FAMILIES.items():
        for operation in (each for family in families for each in family):
            program = TypedProgram(kind, (operation,))
            value = defined(program, rng)
            assert value is not None, program.source
            runs.append((program, value))
    found = outcomes(url, [(program.source, literal(value)) for program, value in runs])
    for (program, value), outcome in zip(runs, found, strict=True):
        assert outcome["output"] == literal(program.run(value)[-1]), program.source


def test_chains_give_what_python_gives(url):
    rng = Random(8)
    wanted, runs = [], []
    for number in range(240):
        program, (value,) = draw_program_and_inputs(rng, tuple(Kind), 2 + number % 3, 1)
        runs.append((program.source, literal(value)))
        wanted.append(literal(program.run(value)[-1]))
    assert [outcome["output"] for outcome in outcomes(url, runs)] == wanted


def test_a_step_gives_the_kind_that_the_next_one_takes():
    rng = Random(9)
    python = {Kind.INTS: list, Kind.STRS: list, Kind.TUPLE: tuple, Kind.DICT: dict}
    python |= {Kind.BOOL: bool, Kind.INT: int, Kind.STR: str}
    for _ in range(500):
        program, (value,) = draw_program_and_inputs(rng, tuple(Kind), 3, 1)
        for step, made in zip(program.steps, program.run(value)[1:], strict=True):
            assert type(made) is python[step.result], program.source


def named(source, kind):
    return next(each for family in FAMILIES[kind] for each in family if each.source == source)


def loop(head, body):
    found = (each for family in FAMILIES[Kind.INTS] for each in family if each.loop)
    return next(each for each in found if head in each.loop[1] and body in each.loop[2])


def test_a_program_is_written_one_step_to_a_line_and_a_loop_before_its_value():
    program = TypedProgram(Kind.INTS, (named("x[1:]", Kind.INTS), loop("n in x", "t + n * 2")))
    assert program.source == (
        "def f(x):\n    x = x[1:]\n    t = 0\n    for n in x:\n        t = t + n * 2\n    return t"
    )


def test_runs_are_written_forwards_with_each_pass_and_backwards_with_each_argument():
    program = TypedProgram(Kind.INTS, (named("x[1:]", Kind.INTS), loop("n in x", "t + n * 2")))
    assert program.forward([9, 1, 2]) == "x[1:]: [1, 2]\nt: 0 2 6"
    assert program.backward([9, 1, 2]) == "t: [1, 2]\nx[1:]: [9, 1, 2]"


def test_what_fails_or_grows_too_large_is_undefined():
    first = TypedProgram(Kind.INTS, (named("x[0]", Kind.INTS),))
    double = TypedProgram(Kind.INTS, (named("x * 2", Kind.INTS),))
    for program, value in ((first, []), (double, [1, 2, 3, 4, 5])):
        with pytest.raises(Undefined):
            program.run(value)


def test_drawn_inputs_are_different_and_the_same_seed_draws_the_same():
    kinds = (Kind.INT, Kind.DICT)
    program, values = draw_program_and_inputs(Random(1), kinds, 2, 6)
    assert len({literal(value) for value in values}) == 6
    again, same = draw_program_and_inputs(Random(1), kinds, 2, 6)
    assert (program.source, values) == (again.source, same)
    assert draw_typed_program(Random(2), Kind.STR, 3).takes is Kind.STR
