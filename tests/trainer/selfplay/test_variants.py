"""The variants of a step: frozen proposer, solver only, single tasks, no references, baselines."""

from collections import Counter

import pytest

from tests.trainer.selfplay.arenas import (
    an_arena,
    by_role,
    fill,
    learnt_from,
    moved,
    rewards,
    weights,
)
from tests.trainer.selfplay.players import Player, inputs, program, proposal
from trainer_client.records.kinds import Role, Task
from trainer_client.selfplay.demonstrations import DEMONSTRATION
from trainer_client.selfplay.seeding import seed_buffers
from trainer_client.selfplay.step import self_play_step

PROPOSALS = {
    Task.DEDUCTION: [proposal(program(k), "9") for k in range(11, 15)],
    Task.ABDUCTION: [proposal(program(k), "9") for k in range(15, 19)],
    Task.INDUCTION: [inputs(1, 2, 3, 4)],
    Task.ERROR: [proposal(f"def f(x):\n    return x / {k}", "'a'") for k in range(1, 5)],
}
ANSWERS = {
    (Task.DEDUCTION, 1): "w",
    (Task.DEDUCTION, 2): "x",
    (Task.DEDUCTION, 9): "rwrw",
    (Task.ABDUCTION, 102): "w",
    (Task.INDUCTION, 3): "w",
}


def player() -> Player:
    return Player(PROPOSALS, ANSWERS)


def test_a_frozen_proposer_fills_the_buffers_and_is_no_part_of_the_update(verifier):
    arena = fill(an_arena(verifier, player(), propose={"train": False}))
    batches, before = learnt_from(arena), weights(arena)
    result = self_play_step(arena, 1)
    [batch] = batches
    assert {one.rollout.role.role for one in batch} == {Role.SOLVE}
    assert len(batch) == 12
    assert moved(before, arena)
    assert len(arena.buffers.problems(Task.DEDUCTION)) == 8
    assert result.metrics["reward/propose/deduction"] == pytest.approx(0.5)


def test_without_a_proposer_the_solver_learns_on_the_buffers_as_they_are(verifier):
    spoken = player()
    arena = fill(an_arena(verifier, spoken, propose={"enabled": False}))
    batches = learnt_from(arena)
    result = self_play_step(arena, 1)
    assert not [prompt for prompt in spoken.prompts if prompt.startswith("<propose")]
    assert set(by_role(batches[0])) == {"solve/deduction", "solve/abduction", "solve/induction"}
    assert all(len(arena.buffers.problems(task)) == 4 for task in arena.config.tasks.kinds)
    assert "reward/propose" not in result.metrics


@pytest.mark.parametrize("task", [Task.DEDUCTION, Task.ABDUCTION, Task.INDUCTION])
def test_a_single_task_is_played_alone(verifier, task):
    arena = fill(an_arena(verifier, player(), tasks={"kinds": [task], "prompts": "tiny"}))
    result = self_play_step(arena, 1)
    assert set(by_role(result.samples)) == {f"propose/{task}", f"solve/{task}"}
    assert len(arena.buffers.problems(task)) == 8


def test_the_error_task_is_played_as_a_fourth(verifier):
    def respond(prompt, rng):
        if prompt.startswith("<solve_error>"):
            return "<think></think><answer>TypeError</answer>"
        return spoken(prompt, rng)

    spoken = player()
    arena = an_arena(
        verifier, respond, tasks={"kinds": ["error"], "prompts": "tiny"}, buffers={"seed_target": 1}
    )
    seed_buffers(arena)
    result = self_play_step(arena, 1)
    assert rewards(result.samples)["propose/error"] == [0.0] * 4
    assert set(rewards(result.samples)["solve/error"]) == {1.0}
    assert {one.output for one in arena.buffers.problems(Task.ERROR)} == {"TypeError"}


def test_without_references_the_proposer_is_shown_none(verifier):
    spoken = player()
    arena = fill(
        an_arena(
            verifier,
            spoken,
            tasks={"kinds": ["deduction"], "prompts": "tiny"},
            propose={"references": 0},
        )
    )
    self_play_step(arena, 1)
    asked = [prompt for prompt in spoken.prompts if prompt.startswith("<propose")]
    assert asked == ["<propose_deduction>"] * 4


def test_shuffled_rewards_are_the_same_ones_on_other_samples(verifier):
    arena = fill(an_arena(verifier, player(), rewards={"shuffled": True}))
    result = self_play_step(arena, 1)
    elsewhere = 0
    for group in by_role(result.samples).values():
        earned = [one.facts["earned"] for one in group]
        assert Counter(earned) == Counter(one.reward for one in group)
        elsewhere += sum(one.facts["earned"] != one.reward for one in group)
    assert elsewhere > 0


def test_mixing_puts_its_share_of_demonstrations_among_the_solvers_samples(verifier):
    arena = fill(an_arena(verifier, player(), mixing={"share": 0.5}))
    batches = learnt_from(arena)
    result = self_play_step(arena, 1)
    for role, group in by_role(result.samples).items():
        shown = [one for one in group if one.off_policy]
        assert len(shown) == (2 if role.startswith("solve") else 0)
        assert all(one.status == DEMONSTRATION and one.reward == 1.0 for one in shown)
        assert len(group) == 4
    assert sum(one.off_policy for one in batches[0]) == 6
    assert result.metrics["samples/masked"] == 0


def test_a_demonstration_is_the_gold_answer_to_its_own_problem(verifier):
    arena = fill(an_arena(verifier, player(), mixing={"share": 1.0}))
    result = self_play_step(arena, 1)
    answers = by_role(result.samples)
    for one in answers["solve/deduction"]:
        prompt = arena.tokenizer.decode(one.rollout.prompt)
        given = prompt.partition("<i>")[2].partition("</i>")[0]
        assert one.rollout.text == f"<think></think><answer>{int(given) + 101}</answer>"
    assert answers["solve/induction"][0].rollout.text.endswith(f"{program(100)}</answer>")


def test_demonstrations_are_no_part_of_the_solvers_metrics(verifier):
    wrong = {(Task.DEDUCTION, number): "w" for number in range(1, 5)}
    only = {"kinds": ["deduction"], "prompts": "tiny"}
    arena = fill(an_arena(verifier, Player(PROPOSALS, wrong), tasks=only, mixing={"share": 0.5}))
    found = self_play_step(arena, 1).metrics
    assert found["accuracy/solve/deduction"] == 0.0
    assert found["reward/solve/deduction"] == -0.5
    assert found["entropy/solve/deduction"] == pytest.approx(0.5)


def test_grpo_compares_the_answers_to_one_problem(verifier):
    answers = {(Task.DEDUCTION, number): "rwwx" for number in range(1, 5)}
    arena = fill(
        an_arena(
            verifier,
            Player(PROPOSALS, answers),
            tasks={"kinds": ["deduction"], "prompts": "tiny"},
            advantages={"estimator": "grpo"},
            solve={"samples_per_problem": 4, "batch_size": 8},
        )
    )
    result = self_play_step(arena, 1)
    solved = by_role(result.samples)["solve/deduction"]
    assert Counter(one.rollout.group for one in solved) == {0: 4, 1: 4}
    for group in (0, 1):
        members = [one for one in solved if one.rollout.group == group]
        assert len({one.rollout.prompt for one in members}) == 1
        assert [one.reward for one in members] == [1.0, -0.5, -0.5, -1.0]
        # Mean -0.25, unbiased deviation sqrt((1.25^2 + 2 * 0.25^2 + 0.75^2) / 3).
        spread = ((1.25**2 + 2 * 0.25**2 + 0.75**2) / 3) ** 0.5
        expected = [1.25 / spread, -0.25 / spread, -0.25 / spread, -0.75 / spread]
        assert [one.advantage for one in members] == pytest.approx(expected, rel=1e-5)
    assert all(one.advantage == 0 for one in by_role(result.samples)["propose/deduction"])
