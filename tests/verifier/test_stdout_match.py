"""Comparing what scripts print: all of it, and numbers by value."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from executor_service.verifier.stdout_match import decimal_match, folded_match

BOTH = (folded_match, decimal_match)
TEXTS = st.text(st.sampled_from("ab1.\n \r"), max_size=30)


@given(TEXTS)
def test_a_text_matches_itself(text):
    assert all(match(text, text) for match in BOTH)


@given(TEXTS, TEXTS)
def test_space_around_lines_does_not_matter_and_lines_do(text, more):
    for match in BOTH:
        assert match(text, f"\n  {text.strip()}  \n\n")
        if more.strip() and text.strip():
            assert not match(text, f"{text.strip()}\n{more.strip()}")


@pytest.mark.parametrize("match", BOTH)
@pytest.mark.parametrize(
    ("expected", "got"),
    [("a", ""), ("", "a"), ("a\nb", "a"), ("a", "a\nb"), ("ab", "a b"), ("1", "2"), ("1 2", "1"),
     ("nan", "1"), ("1", "nan"), ("a\n\nb", "a\nb"), ("1", "0x1"), ("inf", "1e400x")],
)  # fmt: skip
def test_neither_rule_is_lenient(match, expected, got):
    assert not match(expected, got)


def test_case_matters_to_one_of_them():
    assert folded_match("YES", "yes")
    assert not decimal_match("YES", "yes")


@pytest.mark.parametrize(
    ("expected", "got", "folded", "decimal"),
    [
        ("1", "1.0", True, True),
        ("0.3", "0.30000000000000004", True, False),
        ("1 2", "1.0 2.00", False, True),
        ("100000", "100000.5", True, False),
        ("0", "0.00000000000001", False, False),
        ("0", "0.0", True, True),
        ("1e3", "1000", True, True),
        ("inf", "-inf", False, False),
    ],
)
def test_numbers_match_each_rule_in_its_way(expected, got, folded, decimal):
    assert folded_match(expected, got) is folded
    assert decimal_match(expected, got) is decimal


@pytest.mark.parametrize("match", BOTH)
def test_no_number_is_a_bomb(match):
    began = time.monotonic()
    for one, other in [("1e999999999", "2e999999999"), ("9" * 10**6, "9" * 10**6 + "1"),
                       ("1e-999999999", "1"), ("1_0", "10"), ("9" * 400, "8" * 400)]:  # fmt: skip
        match(one, other)
    assert time.monotonic() - began < 5
