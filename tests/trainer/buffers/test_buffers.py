"""The buffers: bounded, sampled by AZR's rules, and written and read without loss."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainer_client.buffers.buffers import TaskBuffers
from trainer_client.buffers.zero import zero_induction
from trainer_client.errors import DataError, EmptyBuffer
from trainer_client.records.kinds import Task
from trainer_client.records.problems import Case, InductionProblem, Triplet

THREE = (Task.DEDUCTION, Task.ABDUCTION, Task.INDUCTION)


def made(number: int, born: int = 0) -> Triplet:
    return Triplet(f"def f(x):\n    return {number}", "1", str(number), born=born)


def filled(*problems: Triplet, capacity: int = 100) -> TaskBuffers:
    buffers = TaskBuffers(THREE, capacity)
    for problem in problems:
        buffers.add(Task.DEDUCTION, problem)
    return buffers


def outputs(problems) -> list[int]:
    return [int(problem.output) for problem in problems]


def test_the_newest_stay_when_the_buffer_is_full():
    buffers = filled(*map(made, range(7)), capacity=4)
    assert outputs(buffers.view(Task.DEDUCTION).problems) == [3, 4, 5, 6]


def test_a_program_is_known_as_long_as_any_entry_holds_it():
    buffers = filled(made(1), made(2), made(1), capacity=3)
    assert buffers.contains_program("def f(x):  \n\n    return 1\n\n")
    assert not buffers.contains_program("def f(x):\n   return 1")
    buffers.add(Task.DEDUCTION, made(3))
    assert buffers.contains_program(made(1).program)
    buffers.add(Task.DEDUCTION, made(4))
    assert not buffers.contains_program(made(2).program)
    assert buffers.contains_program(made(1).program)
    buffers.add(Task.DEDUCTION, made(5))
    assert not buffers.contains_program(made(1).program)
    buffers.add(Task.ABDUCTION, made(1))
    assert buffers.contains_program(made(1).program)


def test_problems_of_the_last_step_come_first_and_the_rest_is_drawn_from_the_others():
    buffers = filled(*[made(n, born=n // 4) for n in range(20)])
    drawn = outputs(buffers.sample(Task.DEDUCTION, 10, Random(1), newest_born=4))
    assert set(drawn[:4]) == {16, 17, 18, 19}
    assert len(set(drawn)) == 10


def test_too_many_new_problems_are_drawn_from_without_repetition():
    buffers = filled(*[made(n, born=n // 10) for n in range(20)])
    drawn = outputs(buffers.sample(Task.DEDUCTION, 6, Random(1), newest_born=1))
    assert len(set(drawn)) == 6
    assert min(drawn) >= 10


def test_without_a_newest_step_all_are_drawn_alike():
    buffers = filled(*[made(n, born=n) for n in range(10)])
    seen = {
        number
        for seed in range(60)
        for number in outputs(buffers.sample(Task.DEDUCTION, 3, Random(seed)))
    }
    assert seen == set(range(10))


def test_a_small_buffer_gives_all_it_has_and_then_repeats():
    drawn = outputs(filled(*map(made, range(3))).sample(Task.DEDUCTION, 8, Random(0)))
    assert set(drawn[:3]) == {0, 1, 2}
    assert len(drawn) == 8
    assert set(drawn[3:]) <= {0, 1, 2}


def test_an_empty_buffer_says_so():
    buffers = filled(made(1))
    with pytest.raises(EmptyBuffer, match="abduction is empty"):
        buffers.sample(Task.ABDUCTION, 1, Random(0))
    with pytest.raises(EmptyBuffer, match="no program yet"):
        TaskBuffers(THREE, 3).view(Task.INDUCTION).base(Random(0))


def test_the_same_seed_draws_the_same():
    buffers = filled(*[made(n, born=n) for n in range(30)])
    draws = [buffers.sample(Task.DEDUCTION, 12, Random(5), newest_born=20) for _ in range(2)]
    assert draws[0] == draws[1]


def test_references_are_distinct_and_never_more_than_there_are():
    view = filled(*map(made, range(10))).view(Task.DEDUCTION)
    assert len(set(view.references(6, Random(0)))) == 6
    assert len(view.references(99, Random(0))) == 10
    assert view.references(0, Random(0)) == ()


def test_induction_is_made_from_the_programs_of_deduction_and_abduction_together():
    buffers = filled(made(1))
    buffers.add(Task.ABDUCTION, made(2))
    buffers.add(Task.INDUCTION, zero_induction())
    view = buffers.view(Task.INDUCTION)
    drawn = {view.base(Random(seed)).program for seed in range(30)}
    assert drawn == {made(1).program, made(2).program}


def test_induction_alone_is_made_from_its_own_programs():
    buffers = TaskBuffers([Task.INDUCTION], 3)
    buffers.add(Task.INDUCTION, zero_induction())
    assert buffers.view(Task.INDUCTION).base(Random(0)) == zero_induction()


TEXT = st.text(st.characters(exclude_categories=("Cs",)), max_size=8)
STEP = st.integers(0, 9)
TRIPLETS = st.builds(Triplet, TEXT, TEXT, TEXT, st.lists(TEXT, max_size=2).map(tuple), STEP)
CASES = st.lists(st.builds(Case, TEXT, TEXT), max_size=3).map(tuple)
INDUCTIONS = st.builds(InductionProblem, TEXT, TEXT, CASES, CASES, st.just(()), STEP)


@given(triplets=st.lists(TRIPLETS, max_size=6), inductions=st.lists(INDUCTIONS, max_size=6))
def test_what_is_written_is_read_back_exactly_and_in_order(tmp_path_factory, triplets, inductions):
    buffers = filled(*triplets, capacity=4)
    for problem in inductions:
        buffers.add(Task.INDUCTION, problem)
    path = tmp_path_factory.mktemp("dump") / "buffers.jsonl"
    buffers.dump(path)
    again = TaskBuffers.load(path, THREE, 4)
    for task in THREE:
        assert list(again.view(task).problems) == list(buffers.view(task).problems)
    for problem in (*triplets, *inductions):
        assert again.contains_program(problem.program) == buffers.contains_program(problem.program)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('{"task": "deduction"', "line 1: Invalid JSON"),
        ('{"task": "deduction"}', "line 1: problem: Field required"),
        ('{"task": "error", "problem": {"program": "", "input": "", "output": ""}}', "not played"),
        ('{"task": "deduction", "problem": {"program": 1, "input": "", "output": ""}}', "program"),
    ],
)
def test_a_damaged_dump_is_refused_with_its_line(tmp_path, line, said):
    path = tmp_path / "buffers.jsonl"
    path.write_text(line + "\n")
    with pytest.raises(DataError, match=r"buffers\.jsonl, line 1") as caught:
        TaskBuffers.load(path, THREE, 4)
    assert said in str(caught.value)


def test_a_missing_dump_is_an_error_of_data(tmp_path):
    with pytest.raises(DataError, match="No such file"):
        TaskBuffers.load(tmp_path / "none.jsonl", THREE, 4)
