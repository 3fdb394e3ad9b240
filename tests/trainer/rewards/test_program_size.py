"""Complexity and Halstead's measures, counted by hand."""

from math import log2

import pytest

from trainer_client.rewards.program_size import (
    complexity,
    cyclomatic_complexity,
    halstead,
    halstead_measures,
)

PROGRAM = """
def f(a):
    if a > 1 and a < 9:      # if and or
        return [x for x in a if x]
    return 'if for while'
"""


def test_decisions_are_counted_and_words_in_strings_and_comments_are_not():
    # 1 + if, and, for, if
    assert cyclomatic_complexity(PROGRAM) == 5
    assert cyclomatic_complexity("def f(a):\n    return a\n") == 1


def test_complexity_is_decisions_by_fifteen_at_most_one():
    assert complexity(PROGRAM) == pytest.approx(4 / 15)
    assert complexity("x = 1") == 0.0
    assert complexity("if a: b\n" * 40) == 1.0


def test_halstead_by_hand():
    measures = halstead_measures("z = x + y * x")
    # operators = + *: 3 of 3 distinct; operands z x y x: 4, distinct 3
    volume = 7 * log2(6)
    assert measures.volume == pytest.approx(volume)
    # difficulty 3/2 * 4/3 = 2
    assert measures.difficulty == pytest.approx(2.0)
    assert measures.effort == pytest.approx(2 * volume)
    # 0.5 * 36.19/10000 + 0.3 * 1/10 + 0.2 * 18.09/500
    expected = 0.5 * 2 * volume / 10_000 + 0.03 + 0.2 * volume / 500
    assert halstead("z = x + y * x") == pytest.approx(expected)
    assert expected == pytest.approx(0.039047, abs=1e-6)


def test_a_pair_of_brackets_is_one_operator():
    # operators ( and ,: 2; operands f a b
    assert halstead_measures("f(a, b)").volume == pytest.approx(5 * log2(5))


@pytest.mark.parametrize("text", ["", "(", "pass", "(((", "a", "\x00"])
def test_texts_without_operands_or_operators_give_numbers(text):
    assert halstead_measures(text).effort == 0.0
    assert 0.0 <= halstead(text) <= 1.0


def test_the_term_is_at_most_one():
    assert halstead("if a + b1 and c * d or 7:\n x = y\n" * 60) == pytest.approx(1.0)
