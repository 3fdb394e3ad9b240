"""What a benchmark asks: one record for each kind of problem."""

from dataclasses import dataclass
from typing import Any, Literal

Arguments = tuple[Any, ...]
"""The arguments of one call, as plain Python values."""


@dataclass(frozen=True)
class FunctionProblem:
    """Write a function that gives what a reference solution gives (HumanEval+, MBPP+).

    Attributes:
        id: the benchmark's own.
        prompt: signature and docstring (HumanEval+), or a docstring with an assertion (MBPP+).
        entry_point: name of the function.
        canonical: the whole reference program.
        base: arguments of the original benchmark's tests.
        plus: arguments that EvalPlus added.
        atol: absolute tolerance of numbers; 0: exact, but for floats.
        dataset: whose special oracles apply.
    """

    id: str
    prompt: str
    entry_point: str
    canonical: str
    base: tuple[Arguments, ...]
    plus: tuple[Arguments, ...]
    atol: float
    dataset: Literal["humaneval", "mbpp"]


@dataclass(frozen=True)
class CheckedProblem:
    """Write a function that passes assertions which run in its own process (HumanEval).

    Attributes:
        id: the benchmark's own.
        prompt: signature and docstring.
        entry_point: name of the function.
        canonical: the whole reference program.
        test: the source of ``check(candidate)``.
    """

    id: str
    prompt: str
    entry_point: str
    canonical: str
    test: str


@dataclass(frozen=True)
class TraceProblem:
    """Predict the output of a program, or an input that gives an output (CRUXEval).

    Attributes:
        id: the benchmark's own.
        program: defines ``f``.
        input: an argument list.
        output: a literal.
        predicts: which of the two is asked for.
    """

    id: str
    program: str
    input: str
    output: str
    predicts: Literal["input", "output"]


@dataclass(frozen=True)
class MathProblem:
    r"""Answer a question of mathematics in ``\boxed{}``.

    Attributes:
        id: the benchmark's own.
        prompt: the question.
        answers: the gold answers, any of which is right.
        integer: the answer is an integer and is compared as one.
    """

    id: str
    prompt: str
    answers: tuple[str, ...]
    integer: bool


Problem = FunctionProblem | CheckedProblem | TraceProblem | MathProblem
