"""Filling the buffers: from the zero triplet by proposing, or from files in AZR's format."""

import json

import pytest

from tests.trainer.selfplay.arenas import an_arena
from tests.trainer.selfplay.players import NONSENSE, Player, inputs, program, proposal
from trainer_client.buffers.zero import zero_triplet
from trainer_client.errors import EmptyBuffer
from trainer_client.records.kinds import Task
from trainer_client.selfplay.seeding import seed_buffers

PROPOSALS = {
    Task.DEDUCTION: [proposal(program(k), "9") for k in range(11, 14)] + [NONSENSE],
    Task.ABDUCTION: [proposal(program(k), "9") for k in range(15, 18)] + [NONSENSE],
    # The identity function is among the programs, and all of them take numbers.
    Task.INDUCTION: [inputs(1, 2, 3, 4)],
}
ONLY = {"kinds": ["deduction"], "prompts": "tiny"}


def test_from_the_zero_triplet_the_model_proposes_until_the_target_is_reached(verifier):
    told = []
    arena = an_arena(verifier, Player(PROPOSALS), buffers={"seed_target": 6, "seed_rounds": 2})
    seed_buffers(arena, lambda *news: told.append(news))
    for task in arena.config.tasks.kinds:
        held = arena.buffers.problems(task)
        assert len(held) >= 6
        assert {problem.born for problem in held} == {0}
        entries = [count for of, count, target in told if of is task]
        assert entries == sorted(entries)
        assert entries[0] == 1
        assert entries[-1] == len(held), "progress ends where the buffer stands"
    assert arena.buffers.problems(Task.DEDUCTION)[0].ident == zero_triplet().ident


def test_seeds_may_share_a_program_where_later_proposals_may_not(verifier):
    arena = an_arena(
        verifier,
        Player({Task.DEDUCTION: [proposal(program(11), str(k)) for k in range(4)]}),
        tasks=ONLY,
        propose={"novel_programs": True},
        buffers={"seed_target": 4},
    )
    seed_buffers(arena)
    programs = [problem.program for problem in arena.buffers.problems(Task.DEDUCTION)]
    assert len(programs) > len(set(programs))


def test_seeding_that_comes_to_nothing_says_what_came(verifier):
    answers = [NONSENSE, proposal("def f(x):\n    return y", "1")]
    arena = an_arena(verifier, Player({Task.DEDUCTION: answers}), tasks=ONLY)
    with pytest.raises(EmptyBuffer) as caught:
        seed_buffers(arena)
    assert str(caught.value).startswith(
        "seeding deduction: 1 of 2 tasks after 4 rounds "
        "(what came: {'bad_format': 8, 'runtime_error': 8})"
    )


def test_each_round_of_seeding_draws_anew(verifier):
    seen = []

    def respond(prompt, rng):
        seen.append(rng.random())
        return NONSENSE

    with pytest.raises(EmptyBuffer):
        seed_buffers(an_arena(verifier, respond, tasks=ONLY))
    assert len(set(seen)) == 16


def a_file(path, *rows) -> str:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return str(path)


def row(source: str, given: str, output: str) -> dict:
    return {"snippet": source, "input": given, "output": output, "imports": [], "_extra": 1}


def test_seeds_from_a_file_are_validated_and_their_outputs_are_the_verifiers(
    verifier, tmp_path, caplog
):
    triplets = a_file(
        tmp_path / "triplets.jsonl",
        row(program(1), "1", "2"),
        row(program(2), "1", "99"),
        row("def f(x):\n    return id(len)", "1", "140"),
        row("def f(x):\n    return x + y", "1", "2"),
        row("def f(x):\n    return '</p>'", "1", "'</p>'"),
        row(program(7), "1", "8"),
    )
    induction = a_file(
        tmp_path / "induction.jsonl",
        {
            "snippet": program(3), "inputs": ["1", "2", "3"], "outputs": ["4", "5", "0"],
            "message": "adds three",
        },
    )  # fmt: skip
    arena = an_arena(
        verifier,
        Player(PROPOSALS),
        buffers={"seed_triplets": triplets, "seed_induction": induction, "seed_target": 1},
    )
    arena.is_held_out = lambda problem: problem.program == program(7)
    seed_buffers(arena)
    for task in (Task.DEDUCTION, Task.ABDUCTION):
        held = [(one.program, one.output) for one in arena.buffers.problems(task)]
        assert held == [(program(1), "2"), (program(2), "3")]
    [found] = arena.buffers.problems(Task.INDUCTION)
    assert [case.output for case in (*found.given, *found.hidden)] == ["4", "5", "6"]
    assert found.message == "adds three"
    for reason in ("nondeterministic", "runtime_error", "bad_format", "held_out"):
        assert f"'{reason}': 1" in caplog.text


def test_what_a_file_lacks_is_proposed(verifier, tmp_path):
    triplets = a_file(tmp_path / "triplets.jsonl", row(program(1), "1", "2"))
    arena = an_arena(
        verifier,
        Player(PROPOSALS),
        tasks=ONLY,
        buffers={"seed_triplets": triplets, "seed_target": 3},
    )
    seed_buffers(arena)
    held = [problem.program for problem in arena.buffers.problems(Task.DEDUCTION)]
    assert held == [program(k) for k in (1, 11, 12, 13)]


def test_without_a_proposer_nothing_is_proposed_however_little_the_file_holds(verifier, tmp_path):
    triplets = a_file(tmp_path / "triplets.jsonl", row(program(1), "1", "2"))
    spoken = Player(PROPOSALS)
    arena = an_arena(
        verifier,
        spoken,
        tasks=ONLY,
        propose={"enabled": False},
        buffers={"seed_triplets": triplets, "seed_target": 3},
    )
    seed_buffers(arena)
    assert spoken.prompts == []
    assert len(arena.buffers.problems(Task.DEDUCTION)) == 1
