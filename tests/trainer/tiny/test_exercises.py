"""The warm-up's exercises are what self-play asks for, and their answers are right."""

from random import Random

import pytest

from trainer_client.buffers.view import BufferView
from trainer_client.config.run import VerifierConfig
from trainer_client.prompts.prompt_set import PromptSet
from trainer_client.records.kinds import Role, Task, TaskRole
from trainer_client.tasks.kind import Accepted, ProposePrompt, VerifyRules
from trainer_client.tasks.registry import task_kind
from trainer_client.tiny.curriculum import ALL_ROLES, CURRICULUM, PROPOSER_WEIGHT, TASKS, lessons
from trainer_client.tiny.exercises import ExerciseSource
from trainer_client.tiny.heldout import HeldOut, draw_problem
from trainer_client.verifier.session import Verifier

PROMPTS = PromptSet.load("tiny", TASKS)
RULES = VerifyRules()


@pytest.fixture
def source(config):
    return ExerciseSource(PROMPTS, config.propose, HeldOut({}))


def test_the_verifier_finds_every_demonstrated_answer_right(url):
    rng = Random(0)
    items = []
    for task in TASKS:
        kind = task_kind(task)
        for problem in [draw_problem(rng, task, (1, 1, 1)) for _ in range(25)]:
            answer = kind.parse_answer(kind.demonstration(problem, PROMPTS.markup), PROMPTS.markup)
            items.append(kind.verification(problem, answer, RULES))
    with Verifier(VerifierConfig(url=url)) as verifier:
        verdicts = verifier.submit(items).results()
    assert [verdict["status"] for verdict in verdicts] == ["correct"] * 75


@pytest.mark.parametrize("task", TASKS)
def test_the_verifier_accepts_every_demonstrated_proposal(url, config, source, task):
    kind, rng = task_kind(task), Random(1)
    with Verifier(VerifierConfig(url=url)) as verifier:
        for _ in range(8):
            problem = draw_problem(rng, task, (1, 1, 1))
            view = BufferView((), ([problem],))
            prompt = kind.propose_prompt(view, config.propose, rng)
            response = kind.proposal_demonstration(problem, PROMPTS.markup)
            proposal = kind.parse_proposal(response, PROMPTS.markup, prompt)
            results = verifier.submit(kind.validation(proposal, RULES)).results()
            judgement = kind.accept(proposal, results, 0)
            assert isinstance(judgement, Accepted)
            # The outputs that the verifier saw are those of the grammar's own interpreter.
            assert judgement.problem == problem


def test_a_proposer_is_sometimes_shown_the_zero_triplet_that_self_play_begins_with(source):
    role = TaskRole(Task.DEDUCTION, Role.PROPOSE)
    prompts = [source.draw(Random(n), role, (1,)).prompt for n in range(100)]
    assert 5 < sum("Hello world" in prompt for prompt in prompts) < 60


def test_the_lessons_follow_the_curriculum(source):
    count = 400
    stream = list(lessons(source, _characters, 0, Random(0), count))
    assert len(stream) == count
    first = stream[: round(CURRICULUM[0].share * count)]
    assert {len(CURRICULUM[0].roles), *(e.weight for e in first)} == {1.0}
    assert all("".join(map(chr, e.prompt)).startswith("<solve_deduction>") for e in first)
    later = stream[len(first) :]
    assert {e.weight for e in later} == {1.0, PROPOSER_WEIGHT}
    assert all(e.response[-1] == 0 for e in stream)


def test_three_lessons_of_solving_go_to_one_of_proposing():
    solving = [role for role in ALL_ROLES if role.role is Role.SOLVE]
    assert len(solving) == 3 * (len(ALL_ROLES) - len(solving))


def test_an_induction_prompt_shows_no_hidden_case(source):
    kind = task_kind(Task.INDUCTION)
    problem = draw_problem(Random(5), Task.INDUCTION, (1,))
    prompt = PROMPTS.render(TaskRole(Task.INDUCTION, Role.SOLVE), kind.solve_variables(problem))
    assert not any(case.input in prompt for case in problem.hidden)


def _characters(texts: list[str]) -> list[list[int]]:
    return [[ord(character) for character in text] for text in texts]


def test_a_proposal_is_shown_within_an_induction_prompt(config):
    kind = task_kind(Task.INDUCTION)
    problem = draw_problem(Random(6), Task.INDUCTION, (1,))
    prompt = kind.propose_prompt(BufferView((), ([problem],)), config.propose, Random(0))
    assert isinstance(prompt, ProposePrompt)
    assert prompt.inputs == len(problem.given) + len(problem.hidden)
