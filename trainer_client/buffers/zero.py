"""The problems that self-play can start from without any data: AZR's zero triplet and its kin."""

from trainer_client.buffers.cases import given_and_hidden
from trainer_client.records.problems import Case, InductionProblem, Triplet

_IDENTITY = "def f(a):\n    return a"
_ZERO_CASES = (
    Case('"Hello world"', "'Hello world'"),
    Case("1", "1"),
    Case("dict(a=1, b=2)", "{'a': 1, 'b': 2}"),
    Case("(1.1, 1.2, 1.3)", "(1.1, 1.2, 1.3)"),
    Case('"[[1, 0, 0], [0, 0, 0], [0, 0, 0]]"', "'[[1, 0, 0], [0, 0, 0], [0, 0, 0]]'"),
    Case("1001101100010001", "1001101100010001"),
)


def zero_triplet() -> Triplet:
    """Return the identity function on "Hello world" (arXiv 2505.03335, figure 5)."""
    return Triplet(_IDENTITY, '"Hello world"', "'Hello world'")


def zero_induction(inputs: int = len(_ZERO_CASES)) -> InductionProblem:
    """Return the identity function as an induction problem.

    Args:
        inputs: number of cases; AZR's six come first, then whole numbers.
    """
    further = (Case(str(n), str(n)) for n in range(2, 2 + inputs))
    given, hidden = given_and_hidden([*_ZERO_CASES, *further][:inputs])
    return InductionProblem(
        _IDENTITY, "Write a function that returns whatever you input", given, hidden
    )


def zero_error() -> Triplet:
    """Return the simplest program that raises, for the error task."""
    return Triplet("def f(a):\n    return a + 1", '"Hello world"', "TypeError")
