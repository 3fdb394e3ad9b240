"""Tokens of programs, of texts that are none, and of hostile ones."""

import io
import time
import tokenize
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import trainer_client
from trainer_client.rewards.lexing import MAX_CHARS, Kind, tokens


def texts(program):
    return [token.text for token in tokens(program)]


def test_a_program_in_its_tokens():
    assert texts("def f(a):  # note 'x'\n    return a**2 // 1.5e-3 != \"b # c\"\n") == [
        *("def", "f", "(", "a", ")", ":", "return", "a", "**", "2", "//", "1.5e-3", "!=", '"b # c"')
    ]


def test_kinds():
    kinds = {token.text: token.kind for token in tokens("if x1 + 7 in rb'y' : pass")}
    assert kinds == {
        "if": Kind.KEYWORD,
        "x1": Kind.NAME,
        "+": Kind.SYMBOL,
        "7": Kind.NUMBER,
        "in": Kind.KEYWORD,
        "rb'y'": Kind.STRING,
        ":": Kind.SYMBOL,
        "pass": Kind.KEYWORD,
    }


@pytest.mark.parametrize(
    ("program", "expected"),
    [
        (r"'a\'b' + c", [r"'a\'b'", "+", "c"]),
        ('"""a "quoted" \n if""" if b', ['"""a "quoted" \n if"""', "if", "b"]),
        ("'' \"\" ''''''", ["''", '""', "''''''"]),
        ("'open\nif", ["'open", "if"]),
        ("'''open\nif", ["'''open\nif"]),
        ("'ends with \\", ["'ends with \\"]),
        ("x = .5 + 0x1F", ["x", "=", ".5", "+", "0x1F"]),
        ("größe = 1", ["größe", "=", "1"]),
        ("a + \\\n b", ["a", "+", "b"]),
        ("", []),
    ],
)
def test_strings_and_numbers(program, expected):
    assert texts(program) == expected


def test_agrees_with_pythons_own_tokenizer_on_our_own_source():
    skipped = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT}
    skipped |= {tokenize.ENDMARKER, tokenize.ENCODING}
    compared = 0
    # f-strings are one token here and many to Python 3.12: files without them are compared.
    for path in Path(trainer_client.__file__).parent.rglob("*.py"):
        source = path.read_text(encoding="utf-8")
        if 'f"' in source or len(source) > MAX_CHARS:
            continue
        theirs = tokenize.generate_tokens(io.StringIO(source).readline)
        assert texts(source) == [t.string for t in theirs if t.type not in skipped], path.name
        compared += 1
    assert compared > 5


@given(st.text(alphabet="\"'\\\nrfb#x1.e+=( ", max_size=200))
def test_no_character_but_space_and_comment_is_lost(text):
    if "#" not in text and "\\\n" not in text:
        assert "".join(texts(text)).replace(" ", "").replace("\n", "") == text.replace(
            " ", ""
        ).replace("\n", "")


@pytest.mark.parametrize(
    "piece", ["'", '"', "\\", "'\\", "('", "(" * 50, "'''\"\"\"", "1.", "e+", "not ", "#'", "rb"]
)
def test_hostile_text_is_scanned_in_linear_time(piece):
    text = piece * (10 * MAX_CHARS)
    started = time.perf_counter()
    assert len(tokens(text)) <= MAX_CHARS
    assert time.perf_counter() - started < 5
