"""The typed world in the demo's lessons: right answers, thoughts in their place, held-out kept."""

from collections import Counter
from random import Random

import pytest

from trainer_client.config.loading import load
from trainer_client.config.run import VerifierConfig
from trainer_client.parsing.markup import Part
from trainer_client.prompts.prompt_set import PromptSet
from trainer_client.records.kinds import Role, Task
from trainer_client.records.problems import Triplet
from trainer_client.tasks.kind import Accepted, ProposePrompt, VerifyRules
from trainer_client.tasks.registry import task_kind
from trainer_client.tiny.curriculum import ALL_ROLES, PROPOSERS, SOLVERS, TASKS
from trainer_client.tiny.demo import DemoSettings, demo_held_out
from trainer_client.tiny.exercises import ExerciseSource
from trainer_client.tiny.heldout import HeldOut
from trainer_client.tiny.model import fresh_model
from trainer_client.tiny.tokenizer import train_tokenizer
from trainer_client.tiny.worlds.catalogue import TYPED_CURRICULUM, school
from trainer_client.tiny.worlds.strings import StringWorld
from trainer_client.tiny.worlds.thoughts import with_thought
from trainer_client.tiny.worlds.typed import TypedWorld
from trainer_client.verifier.session import Verifier

PROMPTS = PromptSet.load("tiny", TASKS)
MARKUP = PROMPTS.markup
RULES = VerifyRules()
STEPS = (1, 1, 1, 1)


@pytest.fixture
def gpu():
    return load("demo-gpu", environ={})


@pytest.fixture
def source(gpu):
    return ExerciseSource(PROMPTS, gpu.propose, HeldOut({}), TypedWorld(traces=True))


def verdicts(url, items):
    with Verifier(VerifierConfig(url=url)) as verifier:
        return verifier.submit(items).results()


@pytest.mark.parametrize("task", TASKS)
def test_the_verifier_finds_every_thoughtful_answer_right(url, task):
    rng, kind, world = Random(0), task_kind(task), TypedWorld(traces=True)
    items = []
    for _ in range(60):
        drawn = world.draw(rng, task, STEPS)
        assert drawn.thought
        bare = kind.demonstration(drawn.problem, MARKUP)
        answer = kind.parse_answer(with_thought(bare, drawn.thought, MARKUP), MARKUP)
        items.append(kind.verification(drawn.problem, answer, RULES))
    assert Counter(each["status"] for each in verdicts(url, items)) == {"correct": 60}


@pytest.mark.parametrize("task", TASKS)
def test_the_verifier_accepts_every_demonstrated_proposal(url, task):
    rng, kind, world = Random(1), task_kind(task), TypedWorld(traces=True)
    for _ in range(8):
        problem = world.draw(rng, task, STEPS).problem
        prompt = ProposePrompt({}, base=problem, inputs=6)
        response = kind.proposal_demonstration(problem, MARKUP)
        proposal = kind.parse_proposal(response, MARKUP, prompt)
        judged = kind.accept(proposal, verdicts(url, kind.validation(proposal, RULES)), 0)
        assert isinstance(judged, Accepted)
        # The outputs that the verifier saw are those of our own interpreter.
        assert judged.problem == problem


def test_the_last_value_of_a_thought_is_the_answer():
    rng, world = Random(2), TypedWorld(traces=True)
    for _ in range(100):
        deduced = world.draw(rng, Task.DEDUCTION, STEPS)
        assert isinstance(deduced.problem, Triplet)
        assert deduced.thought.endswith(deduced.problem.output)
        abduced = world.draw(rng, Task.ABDUCTION, STEPS)
        assert isinstance(abduced.problem, Triplet)
        assert abduced.thought.endswith(f": {abduced.problem.input}")


def test_without_traces_nothing_but_the_thoughts_is_different():
    for task in TASKS:
        thoughtful = TypedWorld(traces=True).draw(Random(3), task, STEPS)
        direct = TypedWorld(traces=False).draw(Random(3), task, STEPS)
        assert direct.problem == thoughtful.problem
        assert direct.thought == ""


def test_solvers_think_and_proposers_do_not(source):
    rng = Random(4)
    for role in SOLVERS + PROPOSERS:
        response = source.draw(rng, role, STEPS).response
        empty = response.startswith(MARKUP.think.open + MARKUP.think.close)
        assert empty == (role.role is Role.PROPOSE)


def test_a_thought_with_a_mark_in_it_is_refused():
    bare = MARKUP.lone_answer(Part.OUTPUT, "1")
    with pytest.raises(ValueError, match="a mark"):
        with_thought(bare, f"1{MARKUP.answer.open}2", MARKUP)


def test_a_thought_that_the_prompt_opened_comes_first():
    markup = PromptSet.load("azr").markup
    bare = markup.lone_answer(Part.OUTPUT, "1")
    assert with_thought(bare, "so", markup) == f"so{bare}"


def test_the_outputs_of_an_induction_problem_are_not_all_the_same():
    rng, world = Random(5), TypedWorld(traces=False)
    for _ in range(100):
        given = world.draw(rng, Task.INDUCTION, STEPS).problem.given
        assert len({case.output for case in given}) > 1


def test_all_kinds_of_inputs_are_asked_about():
    rng, world = Random(6), TypedWorld(traces=False)
    firsts = Counter(world.draw(rng, Task.DEDUCTION, STEPS).problem.input[0] for _ in range(500))
    assert {"'", "[", "(", "{", "T", "F"} <= set(firsts)
    assert sum(firsts[digit] for digit in "-0123456789") > 40


def test_three_hundred_problems_of_each_task_are_held_out_of_the_lessons(gpu):
    held_out = demo_held_out(gpu, DemoSettings.of(gpu, 300))
    source = ExerciseSource(PROMPTS, gpu.propose, held_out, TypedWorld(traces=True))
    rng = Random(7)
    # Programs of one step, of which many are held out, with the few inputs of bool among them.
    shown = {source.draw(rng, SOLVERS[0], (1,)).prompt for _ in range(2000)}
    for task, problems in held_out.problems.items():
        assert len(problems) == 300
        asked = [problem for problem in problems if isinstance(problem, Triplet)]
        assert task is Task.INDUCTION or len(asked) == 300
        for problem in asked:
            assert held_out.holds(problem)
            prompt = PROMPTS.render(SOLVERS[0], task_kind(Task.DEDUCTION).solve_variables(problem))
            assert prompt not in shown


def test_the_preset_s_texts_fit_its_lengths_and_come_back_from_its_tokens(gpu, source):
    drawn = [source.draw(Random(n), role, STEPS) for n, role in enumerate(ALL_ROLES * 40)]
    texts = [text for one in drawn for text in (one.prompt, one.response)]
    tokenizer = train_tokenizer(texts, MARKUP.all_marks(), TypedWorld.pieces)
    for one in drawn:
        prompt, response = (
            tokenizer.encode(text, add_special_tokens=False) for text in (one.prompt, one.response)
        )
        assert tokenizer.decode(prompt) == one.prompt
        assert tokenizer.decode(response) == one.response
        assert len(prompt) <= gpu.lengths.max_prompt_tokens
        assert len(response) < gpu.lengths.max_response_tokens
    lengths = gpu.lengths.max_prompt_tokens + gpu.lengths.max_response_tokens
    assert lengths <= gpu.demo.shape.positions
    model = fresh_model(tokenizer, 0, gpu.demo.shape)
    assert 10e6 < sum(p.numel() for p in model.parameters()) < 50e6


def test_proposals_drawn_are_within_the_preset_s_limit_of_lines(gpu):
    rng, world = Random(8), TypedWorld(traces=False)
    lines = [
        len(world.draw(rng, Task.DEDUCTION, STEPS).problem.program.splitlines())
        for _ in range(1000)
    ]
    assert max(lines) > 5
    within = sum(count <= gpu.propose.max_program_lines for count in lines)
    assert within > 990


def test_the_catalogue_knows_both_worlds(gpu, config):
    assert isinstance(school(config.demo).world, StringWorld)
    assert school(gpu.demo).stages == TYPED_CURRICULUM
    assert isinstance(school(gpu.demo).world, TypedWorld)


def test_the_small_demo_s_settings_are_what_they_were(config):
    assert DemoSettings.of(config, 300) == DemoSettings()
