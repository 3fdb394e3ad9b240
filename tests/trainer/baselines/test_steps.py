"""The steps of RLVR and SFT."""

import pytest

from tests.trainer.selfplay.arenas import an_arena, by_role, moved, rewards, weights
from tests.trainer.selfplay.players import Player, induction, triplet
from trainer_client.baselines.fixed_data import load_fixed_data
from trainer_client.baselines.rlvr import rlvr_step
from trainer_client.baselines.sft import sft_step
from trainer_client.buffers.azr_format import write_induction, write_triplets
from trainer_client.records.kinds import Task

ANSWERS = {(Task.DEDUCTION, 1): "rw", (Task.ABDUCTION, 102): "w", (Task.INDUCTION, 3): "x"}


@pytest.fixture
def files(tmp_path) -> dict[str, str]:
    triplets, cases = tmp_path / "triplets.jsonl", tmp_path / "induction.jsonl"
    write_triplets(triplets, [triplet(101, number) for number in range(1, 5)])
    write_induction(cases, [induction(100, n, n + 10, n + 20, n + 30) for n in range(1, 5)])
    return {"data": str(triplets), "induction": str(cases)}


def an_arena_on(verifier, files, algorithm: str, **sections):
    arena = an_arena(
        verifier,
        Player({}, ANSWERS),
        algorithm=algorithm,
        data=files["data"],
        buffers={"seed_induction": files["induction"]},
        **sections,
    )
    load_fixed_data(arena)
    return arena


def test_rlvr_learns_from_verdicts_on_the_files_problems(verifier, files):
    arena = an_arena_on(verifier, files, "rlvr")
    before = weights(arena)
    result = rlvr_step(arena, 1)
    found = {role: sorted(values) for role, values in rewards(result.samples).items()}
    assert found == {
        "solve/deduction": [1.0] * 4,
        "solve/abduction": [-0.5, 1.0, 1.0, 1.0],
        "solve/induction": [-1.0, 1.0, 1.0, 1.0],
    }
    assert moved(before, arena)
    assert result.metrics["accuracy/solve/abduction"] == 0.75
    assert result.metrics["prompts/overlong"] == 0
    assert arena.sampler.version == 1


def test_rlvr_with_rloo_compares_answers_to_one_problem(verifier, files):
    arena = an_arena_on(
        verifier,
        files,
        "rlvr",
        advantages={"estimator": "rloo"},
        solve={"samples_per_problem": 2, "batch_size": 8},
    )
    solved = by_role(rlvr_step(arena, 1).samples)["solve/deduction"]
    pairs = [(solved[place], solved[place + 1]) for place in range(0, 8, 2)]
    assert all(first.rollout.prompt == second.rollout.prompt for first, second in pairs)
    advantages = sorted((a.advantage, b.advantage) for a, b in pairs)
    # One problem is answered right and then wrong, the others right twice.
    assert advantages == [(0.0, 0.0)] * 3 + [(1.5, -1.5)]


def test_the_loss_of_sft_falls(verifier, files):
    arena = an_arena_on(verifier, files, "sft", optimizer={"lr": 1e-2})
    losses = [sft_step(arena, step).metrics["loss/total"] for step in range(1, 31)]
    assert max(losses[-5:]) < min(losses[:3]) / 2


def test_sft_teaches_gold_answers_in_the_asked_form_and_samples_nothing(verifier, files):
    arena = an_arena_on(verifier, files, "sft")
    taught = []
    learn = arena.learner.sft_update
    arena.learner.sft_update = lambda examples: taught.extend(examples) or learn(examples)
    result = sft_step(arena, 1)
    texts = {
        arena.tokenizer.decode(one.prompt): arena.tokenizer.decode(one.response) for one in taught
    }
    assert len(taught) == 12
    shown = texts["<solve_deduction><p>def f(x):\n    return x + 101</p><i>3</i>"]
    assert shown == "<think></think><answer>104</answer>" + arena.tokenizer.eos_token
    assert all(one.off_policy for one in result.samples)
    assert arena.sampler.version == 0


def test_what_is_too_long_to_be_taught_is_skipped_and_counted(verifier, files):
    arena = an_arena_on(verifier, files, "sft", lengths={"max_response_tokens": 11})
    result = sft_step(arena, 1)
    # Programs, the answers of induction, have more tokens than outputs and inputs.
    assert result.metrics["prompts/overlong"] == 4
    assert result.metrics["learner/samples"] == 8
