"""Held-out problems: different ones, fixed by the seed, and kept out by their pairs."""

from random import Random

from trainer_client.config.selfplay import ProposeConfig
from trainer_client.prompts.prompt_set import PromptSet
from trainer_client.records.kinds import Role, Task, TaskRole
from trainer_client.records.problems import Case, InductionProblem, Triplet
from trainer_client.tiny.curriculum import TASKS
from trainer_client.tiny.exercises import ExerciseSource
from trainer_client.tiny.heldout import GIVEN_CASES, HeldOut, draw_held_out, draw_problem

PROGRAM = "def f(x):\n    return x[1:]"


def test_the_same_seed_holds_the_same_problems_out_and_another_seed_others():
    first, again, other = (draw_held_out(seed, 50, (1, 1, 1), TASKS) for seed in (0, 0, 1))
    assert first.problems == again.problems
    assert first.problems != other.problems


def test_no_question_is_asked_twice():
    held_out = draw_held_out(0, 300, (1, 0, 0), TASKS)
    for task, key in (
        (Task.DEDUCTION, lambda p: (p.program, p.input)),
        (Task.ABDUCTION, lambda p: (p.program, p.output)),
        (Task.INDUCTION, lambda p: p.given),
    ):
        assert len({key(problem) for problem in held_out.problems[task]}) == 300


def test_an_induction_problem_shows_and_hides_as_many_different_cases():
    problem = draw_problem(Random(0), Task.INDUCTION, (1,))
    assert isinstance(problem, InductionProblem)
    assert len(problem.given) == len(problem.hidden) == GIVEN_CASES
    assert len({case.input for case in (*problem.given, *problem.hidden)}) == 2 * GIVEN_CASES


def test_a_pair_is_held_out_of_every_task_however_it_is_laid_out():
    held_out = HeldOut({Task.DEDUCTION: [Triplet(PROGRAM, "'abc'", "'bc'")]})
    assert held_out.holds(Triplet(PROGRAM, "'abc'", "'bc'", born=7))
    assert held_out.holds(Triplet(f"{PROGRAM}  \n\n", " 'abc' ", "'bc'"))
    assert not held_out.holds(Triplet(PROGRAM, "'xbc'", "'bc'"))
    shown = InductionProblem(PROGRAM, "", (Case("'de'", "'e'"),), (Case("'abc'", "'bc'"),))
    assert held_out.holds(shown)


def test_an_abduction_problem_is_held_out_whatever_input_leads_to_its_output():
    held_out = HeldOut({Task.ABDUCTION: [Triplet(PROGRAM, "'abc'", "'bc'")]})
    assert held_out.holds(Triplet(PROGRAM, "'xbc'", "'bc'"))
    assert not held_out.holds(Triplet(PROGRAM, "'abd'", "'bd'"))


def test_the_cases_of_an_induction_problem_are_held_out_of_the_other_tasks():
    problem = draw_problem(Random(1), Task.INDUCTION, (1,))
    assert isinstance(problem, InductionProblem)
    case = problem.hidden[0]
    assert HeldOut({Task.INDUCTION: [problem]}).holds(
        Triplet(problem.program, case.input, case.output)
    )


def test_no_exercise_of_the_warm_up_shows_a_held_out_pair():
    # Nearly everything of one step and two letters is held out, so that chance would find it.
    held_out = draw_held_out(0, 1500, (1,), (Task.DEDUCTION,))
    prompts = PromptSet.load("tiny", TASKS)
    source = ExerciseSource(prompts, ProposeConfig(references=1, induction_inputs=6), held_out)
    asked = set()
    for problem in held_out.problems[Task.DEDUCTION]:
        variables = {"program": problem.program, "input": problem.input}
        asked.add(prompts.render(TaskRole(Task.DEDUCTION, Role.SOLVE), variables))
    rng = Random(0)
    role = TaskRole(Task.DEDUCTION, Role.SOLVE)
    drawn = {source.draw(rng, role, (1,)).prompt for _ in range(3000)}
    assert not drawn & asked
