"""Each task from end to end against the real verifier: validated, and judged right and wrong."""

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from executor_service.local_server import local_server
from executor_service.settings import Settings
from trainer_client.buffers.zero import zero_error, zero_induction, zero_triplet
from trainer_client.prompts.prompt_set import PromptSet
from trainer_client.records.kinds import Task
from trainer_client.records.problems import Case, InductionProblem, Problem, Triplet
from trainer_client.tasks.kind import Accepted, Judgement, Proposal, Refused, VerifyRules
from trainer_client.tasks.registry import task_kind

AZR = PromptSet.load("azr").markup
RULES = VerifyRules(cpu_seconds=1.0)
Ask = Callable[[list[dict[str, Any]]], list[dict[str, Any]]]
ZERO: dict[Task, Problem] = {
    Task.DEDUCTION: zero_triplet(),
    Task.ABDUCTION: zero_triplet(),
    Task.INDUCTION: zero_induction(10),
    Task.ERROR: zero_error(),
}


@pytest.fixture(scope="module")
def ask() -> Iterator[Ask]:
    """A way to have items carried out by a live service over HTTP."""
    settings = Settings(backend="bubblewrap", slots=2, port=0, cache_bytes=0)
    with local_server(settings) as url, httpx.Client(base_url=url, timeout=60) as client:

        def answer(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
            reply = client.post("/v1/batch", json={"items": items})
            reply.raise_for_status()
            results: list[dict[str, Any]] = reply.json()["results"]
            return results

        yield answer


def propose(ask: Ask, task: Task, proposal: Proposal) -> Judgement:
    kind = task_kind(task)
    return kind.accept(proposal, ask(kind.validation(proposal, RULES)), 4)


def judge(ask: Ask, task: Task, problem: Problem, *answers: str) -> list[str]:
    kind = task_kind(task)
    results = ask([kind.verification(problem, answer, RULES) for answer in answers])
    return [result["status"] for result in results]


@pytest.mark.parametrize("task", Task)
def test_the_zero_problem_is_valid_as_it_stands(ask, task):
    judgement = propose(ask, task, task_kind(task).as_proposal(ZERO[task], AZR))
    assert isinstance(judgement, Accepted)
    assert judgement.problem.born == 4
    assert judgement.problem.ident == ZERO[task].ident


@pytest.mark.parametrize("task", Task)
def test_a_demonstration_is_judged_correct(ask, task):
    kind = task_kind(task)
    answer = kind.parse_answer(kind.demonstration(ZERO[task], AZR), AZR)
    assert judge(ask, task, ZERO[task], answer) == ["correct"]


def test_deduction_tells_right_from_wrong_and_from_no_answer(ask):
    problem = Triplet("def f(a, b):\n    return [a, b]", "1, b='x'", "[1, 'x']")
    answers = ("[1, 'x']", '[ 1,"x" ]', "[1.0, 'x']", "(1, 'x')", "[a for a in 'x']", "[1,")
    assert judge(ask, Task.DEDUCTION, problem, *answers) == [
        "correct", "correct", "wrong", "wrong", "invalid_answer", "invalid_answer",
    ]  # fmt: skip


def test_abduction_takes_any_input_that_gives_the_output(ask):
    problem = Triplet("def f(x):\n    return abs(x)", "3", "3")
    answers = ("3", "-3", "4", "'3'", "[", "")
    assert judge(ask, Task.ABDUCTION, problem, *answers) == [
        "correct", "correct", "wrong", "runtime_error", "invalid_answer", "runtime_error",
    ]  # fmt: skip


def test_induction_does_not_fall_for_a_program_that_knows_the_given_cases(ask):
    problem = InductionProblem(
        "def f(x):\n    return x * 2",
        "doubles",
        (Case("1", "2"), Case("'a'", "'aa'")),
        (Case("4", "8"), Case("[0]", "[0, 0]")),
    )
    right = "def f(x):\n    return x + x"
    learnt_by_heart = "def f(x):\n    return {1: 2, 'a': 'aa'}.get(x, 8)"
    answers = (right, learnt_by_heart, "def g(x):\n    return x + x", "def f(x:")
    statuses = judge(ask, Task.INDUCTION, problem, *answers)
    assert statuses[0] == "correct"
    assert "correct" not in statuses[1:]
    assert statuses[2:] == ["invalid_program", "invalid_program"]


def test_the_error_task_compares_names_as_text(ask):
    answers = ("TypeError", "ValueError", "'TypeError'", "TypeError()", "'", "\\", "\n")
    assert judge(ask, Task.ERROR, zero_error(), *answers) == ["correct", *["wrong"] * 6]


@pytest.mark.parametrize(
    ("program", "argument", "name"),
    [
        ("def f(x):\n    assert x > 3, 'small'", "1", "AssertionError"),
        ("def f(x):\n    return f(x)", "1", "RecursionError"),
        ("import json\ndef f(x):\n    return json.loads(x)", "'{'", "JSONDecodeError"),
        ("def f(x):\n    return x", "1, 2", "TypeError"),
    ],
)
def test_a_program_that_raises_is_an_error_problem(ask, program, argument, name):
    judgement = propose(ask, Task.ERROR, Proposal(program, (argument,)))
    assert judgement == Accepted(Triplet(program, argument, name, born=4))
    assert judge(ask, Task.ERROR, judgement.problem, name) == ["correct"]


@pytest.mark.parametrize(
    ("program", "reason"),
    [
        ("def f(x):\n    return x", "no_error"),
        ("def f(x):\n    raise ValueError(x)", "invalid_program"),
        ("def g(x):\n    return 1 / 0", "runtime_error"),
        ("1 / 0\ndef f(x):\n    return x", "runtime_error"),
        ("def f(x):\n    return [0] * 10**12", "machine_error"),
        ("def f(x):\n    while True:\n        pass", "timeout"),
        ("def f(x):\n    return 1 / (hash('a') % 2)", "nondeterministic"),
        ("n = [0]\ndef f(x):\n    n[0] += 1\n    return 1 / (n[0] - 1)", "nondeterministic"),
        ("def f(x):\n    '''", "invalid_program"),
    ],
)
def test_a_program_whose_exception_is_not_its_own_is_no_error_problem(ask, program, reason):
    judgement = propose(ask, Task.ERROR, Proposal(program, ("1",)))
    assert isinstance(judgement, Refused)
    assert judgement.reason == reason


@pytest.mark.parametrize(
    ("program", "argument", "reason"),
    [
        ("def f(x):\n    return 1 / x", "0", "runtime_error"),
        ("def f(x):\n    return {x, 'a', 'b', 'c'}.pop()", "'d'", "nondeterministic"),
        ("import random\ndef f(x):\n    return x", "1", "invalid_program"),
        ("def f(x):\n    return eval(x)", "'1'", "invalid_program"),
        ("def f(x):\n    return lambda: x", "1", "unsupported_value"),
        ("def f(x):\n    return x", "(", "invalid_input"),
        ("def f(x):\n    return '</ans' + x", "'wer>'", "mark_in_output"),
    ],
)
@pytest.mark.parametrize("task", [Task.DEDUCTION, Task.ABDUCTION])
def test_a_proposal_that_is_no_problem_is_refused_with_the_reason(
    ask, task, program, argument, reason
):
    judgement = propose(ask, task, Proposal(program, (argument,), marks=AZR.barred()))
    assert isinstance(judgement, Refused)
    assert judgement.reason == reason


def test_one_bad_input_refuses_an_induction_proposal(ask):
    proposal = Proposal("def f(x):\n    return 6 // x", ("1", "2", "0", "3"), "m")
    judgement = propose(ask, Task.INDUCTION, proposal)
    assert isinstance(judgement, Refused)
    assert judgement.reason == "runtime_error"


def test_imports_that_a_proposal_inherited_are_run_with_it(ask):
    proposal = Proposal("def f(x):\n    return m.sqrt(x)", ("16.0",), imports=("import math as m",))
    judgement = propose(ask, Task.ABDUCTION, proposal)
    assert isinstance(judgement, Accepted)
    assert judge(ask, Task.ABDUCTION, judgement.problem, "16", "9") == ["correct", "wrong"]


@pytest.mark.parametrize(
    "source",
    [
        "from enum import Enum\nclass C(Enum):\n    A = 1\ndef f(x):\n    return C.A",
        "from collections import namedtuple\nP = namedtuple('P', 'a')\ndef f(x):\n    return P(x)",
        "def f(x):\n    return [float('nan'), -0.0, 1e300 * 10, 1j, {1, 2}, b'a', ..., range(3)]",
        "def f(x):\n    return '\\ud800', 10 ** 5000, ValueError('a', x)",
    ],
)
def test_an_output_as_the_verifier_shows_it_is_an_acceptable_gold(ask, source):
    judgement = propose(ask, Task.DEDUCTION, Proposal(source, ("1",)))
    assert isinstance(judgement, Accepted)
    problem = judgement.problem
    assert isinstance(problem, Triplet)
    assert judge(ask, Task.DEDUCTION, problem, problem.output) == ["correct"]
    assert judge(ask, Task.ABDUCTION, problem, "1") == ["correct"]
