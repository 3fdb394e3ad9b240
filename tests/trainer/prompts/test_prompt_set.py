"""Prompt sets: what comes with the package, what a directory needs, and that text stays text."""

import shutil
from importlib.resources import files
from pathlib import Path
from random import Random

import pytest

from trainer_client.buffers.buffers import TaskBuffers
from trainer_client.buffers.zero import zero_error, zero_induction, zero_triplet
from trainer_client.config.selfplay import ProposeConfig
from trainer_client.errors import DataError
from trainer_client.prompts.prompt_set import PACKAGED, PromptSet
from trainer_client.records.kinds import Role, Task, TaskRole
from trainer_client.records.problems import Triplet
from trainer_client.tasks.registry import task_kind

SETTINGS = ProposeConfig(references=2, induction_inputs=6)
ZERO = {
    Task.DEDUCTION: zero_triplet(),
    Task.ABDUCTION: zero_triplet(),
    Task.INDUCTION: zero_induction(6),
    Task.ERROR: zero_error(),
}


def prompt(prompts: PromptSet, task: Task, role: Role) -> str:
    buffers = TaskBuffers(Task, 9)
    for each, problem in ZERO.items():
        buffers.add(each, problem)
    kind = task_kind(task)
    if role is Role.SOLVE:
        return prompts.render(TaskRole(task, role), kind.solve_variables(ZERO[task]))
    shown = kind.propose_prompt(buffers.view(task), SETTINGS, Random(0))
    return prompts.render(TaskRole(task, role), shown.variables)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A directory with the tiny set, to be damaged."""
    folder = tmp_path / "mine"
    shutil.copytree(str(files("trainer_client.prompts") / "tiny"), folder)
    return folder


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("task", Task)
@pytest.mark.parametrize("name", PACKAGED)
def test_every_task_role_has_a_prompt_without_gaps(name, task, role):
    text = prompt(PromptSet.load(name), task, role)
    assert "\n\n\n" not in text
    assert "{{" not in text and "{%" not in text
    assert text == text.strip()


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("task", Task)
def test_an_azr_prompt_opens_the_thought_once_it_has_said_everything(task, role):
    text = prompt(PromptSet.load("azr"), task, role)
    assert text.startswith("A conversation between a User and an Assistant.")
    assert text.endswith("\n\nAssistant: <think>")


@pytest.mark.parametrize(
    ("task", "hard"),
    [
        (Task.DEDUCTION, "hard to predict the output from the program and the input"),
        (Task.ABDUCTION, "hard to predict an input from the program and the output"),
        (Task.ERROR, "hard to predict which exception"),
        (Task.INDUCTION, "hard, but not impossible, to predict the program"),
    ],
)
def test_the_azr_proposer_is_told_what_shall_be_hard_what_is_banned_and_what_there_is(task, hard):
    text = prompt(PromptSet.load("azr"), task, Role.PROPOSE)
    assert hard in text
    assert "logging, random, multiprocessing" in text and "eval, exec, compile" in text
    assert ("compile, raise" in text) == (task is Task.ERROR)
    assert ZERO[task].program in text


def test_the_azr_proposer_without_references_is_told_of_none():
    variables = {"references": [], "banned_modules": ("a",), "banned_names": ("b",)}
    text = PromptSet.load("azr").render(TaskRole(Task.DEDUCTION, Role.PROPOSE), variables)
    assert "Example" not in text and "earlier ones" not in text


def test_tiny_prompts_are_tags_and_values():
    tiny = PromptSet.load("tiny")
    assert prompt(tiny, Task.DEDUCTION, Role.SOLVE) == (
        '<solve_deduction><p>def f(a):\n    return a</p><i>"Hello world"</i>'
    )
    quiet = {"message": "", "cases": [{"input": "'a'", "output": "'b'"}]}
    assert tiny.render(TaskRole(Task.INDUCTION, Role.SOLVE), quiet) == (
        "<solve_induction><i>'a'</i><o>'b'</o>"
    )


@pytest.mark.parametrize("name", PACKAGED)
def test_template_syntax_in_a_model_s_text_stays_text(name):
    text = "{{ 7 * 7 }}{% for %}{# {{ block('a', 'b') }}"
    problem = Triplet(text, text, text)
    shown = task_kind(Task.DEDUCTION).solve_variables(problem)
    prompts = PromptSet.load(name)
    assert prompts.render(TaskRole(Task.DEDUCTION, Role.SOLVE), shown).count(text) == 2


def test_a_directory_is_a_prompt_set_as_well(copy: Path):
    text = (copy / "solve_deduction.jinja").read_text()
    (copy / "solve_deduction.jinja").write_text("Mine: " + text)
    assert prompt(PromptSet.load(copy), Task.DEDUCTION, Role.SOLVE).startswith("Mine: <solve")


def test_a_name_that_is_no_set_is_refused():
    with pytest.raises(DataError, match=r"no prompt set azzr: name one of azr, tiny or a dir"):
        PromptSet.load("azzr")


def test_a_missing_template_is_named_unless_its_task_is_not_played(copy: Path):
    (copy / "solve_error.jinja").unlink()
    with pytest.raises(DataError, match=r"solve_error\.jinja is missing"):
        PromptSet.load(copy)
    prompts = PromptSet.load(copy, [Task.DEDUCTION, Task.ABDUCTION, Task.INDUCTION])
    with pytest.raises(DataError, match=r"solve_error\.jinja"):
        prompt(prompts, Task.ERROR, Role.SOLVE)


def test_a_missing_markup_is_named(copy: Path):
    (copy / "markup.yaml").unlink()
    with pytest.raises(DataError, match=r"markup\.yaml: No such file"):
        PromptSet.load(copy)


def test_a_template_that_does_not_parse_is_named_with_its_line(copy: Path):
    (copy / "solve_error.jinja").write_text("a\n{% for %}")
    with pytest.raises(DataError, match=r"solve_error\.jinja, line 2"):
        PromptSet.load(copy)


def test_a_variable_that_there_is_not_is_an_error_never_a_blank(copy: Path):
    (copy / "solve_deduction.jinja").write_text("{{ program }} {{ output }}")
    with pytest.raises(DataError, match=r"solve_deduction\.jinja: 'output' is undefined"):
        prompt(PromptSet.load(copy), Task.DEDUCTION, Role.SOLVE)
