"""Which valid proposals may enter a buffer."""

import pytest

from tests.trainer.selfplay.arenas import an_arena, by_role, fill
from tests.trainer.selfplay.players import Player, induction, program, proposal, triplet
from trainer_client.records.kinds import Task
from trainer_client.selfplay.step import self_play_step

ONLY = {"kinds": ["deduction"], "prompts": "tiny"}
BOTH = {"kinds": ["deduction", "abduction"], "prompts": "tiny"}


def statuses(result, role: str) -> list[str]:
    return [one.status for one in by_role(result.samples)[role]]


def test_a_held_out_problem_enters_no_buffer_and_its_proposal_is_not_rewarded(verifier):
    spoken = Player({Task.DEDUCTION: [proposal(program(7), "9"), proposal(program(8), "9")]})
    arena = fill(an_arena(verifier, spoken, tasks=ONLY))
    arena.is_held_out = lambda problem: problem.program == program(7)
    result = self_play_step(arena, 1)
    assert statuses(result, "propose/deduction") == ["held_out", "valid"] * 2
    programs = [problem.program for problem in arena.buffers.problems(Task.DEDUCTION)]
    assert program(7) not in programs
    assert not [prompt for prompt in spoken.prompts if "solve" in prompt and program(7) in prompt]
    assert by_role(result.samples)["propose/deduction"][0].reward == -1.0


@pytest.mark.parametrize("novel", [True, False])
def test_a_program_that_a_buffer_holds_is_refused_where_programs_must_be_new(verifier, novel):
    arena = fill(
        an_arena(
            verifier,
            Player({Task.DEDUCTION: [proposal(f"{program(101)}   ", "77")]}),
            tasks=ONLY,
            propose={"novel_programs": novel},
        )
    )
    result = self_play_step(arena, 1)
    expected = "not_novel" if novel else "valid"
    assert statuses(result, "propose/deduction") == [expected] * 4


def test_of_equal_programs_in_one_batch_the_first_alone_is_new_whichever_task_it_is_of(verifier):
    twice = [proposal(program(7), "1"), proposal(program(7), "2"), proposal(program(8), "3")]
    arena = fill(
        an_arena(
            verifier,
            Player({Task.DEDUCTION: twice, Task.ABDUCTION: [proposal(program(7), "4")]}),
            tasks=BOTH,
            propose={"novel_programs": True},
            batch_size=3,
        )
    )
    result = self_play_step(arena, 1)
    assert statuses(result, "propose/deduction") == ["valid", "not_novel", "valid"]
    assert statuses(result, "propose/abduction") == ["not_novel"] * 3


def test_induction_takes_over_programs_that_are_known_by_its_nature(verifier):
    numbers = "".join(f"<i>{n}</i>" for n in (1, 2, 3, 4))
    arena = fill(
        an_arena(
            verifier,
            Player({Task.INDUCTION: [f"<think></think><answer>{numbers}</answer>"]}),
            propose={"novel_programs": True},
        )
    )
    result = self_play_step(arena, 1)
    assert statuses(result, "propose/induction") == ["valid"] * 4


def test_a_program_of_too_many_lines_is_refused(verifier):
    three = "def f(x):\n    y = x\n\n    return x + 1"
    four = "def f(x):\n    y = x\n    z = x\n    return x + 2"
    arena = fill(
        an_arena(
            verifier,
            Player({Task.DEDUCTION: [proposal(three, "1"), proposal(four, "1")]}),
            tasks=ONLY,
            propose={"max_program_lines": 3},
        )
    )
    result = self_play_step(arena, 1)
    assert statuses(result, "propose/deduction") == ["valid", "too_long"] * 2


def test_the_oldest_problems_leave_a_full_buffer(verifier):
    spoken = Player({Task.DEDUCTION: [proposal(program(k), "9") for k in range(11, 15)]})
    arena = an_arena(verifier, spoken, tasks=ONLY, buffers={"capacity": 6, "seed_target": 2})
    for k in range(1, 6):
        arena.buffers.add(Task.DEDUCTION, triplet(k, 1))
    self_play_step(arena, 1)
    held = [problem.program for problem in arena.buffers.problems(Task.DEDUCTION)]
    assert held == [program(k) for k in (4, 5, 11, 12, 13, 14)]


def test_a_batch_larger_than_the_buffer_is_filled_up_by_repetition(verifier):
    arena = an_arena(verifier, Player(), tasks={"kinds": ["induction"], "prompts": "tiny"})
    arena.buffers.add(Task.INDUCTION, induction(5, 1, 2, 3, 4))
    result = self_play_step(arena, 1)
    assert statuses(result, "solve/induction") == ["correct"] * 4
