"""What may depend on hash seeds is seen wherever a request mentions it."""

import pytest

from executor_service.sandbox.hash_seeds import judging_variants, may_depend_on_hash
from executor_service.sandbox.runner.variants import FURTHER_SEEDS, OTHER, USUAL
from executor_service.sandbox.runs import RunRequest
from executor_service.typed.literals import parse_arguments

PLAIN = "def f(x):\n    return list(x)"


def given(text):
    arguments = parse_arguments(text)
    return RunRequest(PLAIN, "f", args=arguments.args, kwargs=arguments.kwargs)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{'a', 'b'}", True),
        ("x={'a', 'b'}", True),
        ("[({'k': frozenset({1})},)]", True),
        ("['set', {'set': 'frozenset'}]", False),
        ("{'a': 1}, (2, [3])", False),
        ("", False),
    ],
)
def test_a_set_among_the_arguments_counts(text, expected):
    assert may_depend_on_hash(given(text)) is expected


def test_a_set_in_an_import_line_or_an_expression_counts():
    assert may_depend_on_hash(RunRequest(PLAIN, "f", imports=("from builtins import set as s",)))
    assert may_depend_on_hash(RunRequest(PLAIN, "f", expression="set('ab')"))
    assert not may_depend_on_hash(RunRequest(PLAIN, "f", imports=("import math",), expression="1"))


def test_all_seeds_judge_what_may_depend_on_them():
    assert judging_variants(given("1")) == (USUAL, OTHER)
    assert judging_variants(given("{1}")) == (USUAL, OTHER, *FURTHER_SEEDS)
