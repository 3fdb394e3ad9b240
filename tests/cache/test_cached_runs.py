"""When a result is kept, when it is answered with, and when never; the sandboxes are made up."""

import asyncio
from dataclasses import replace
from itertools import product

import pytest

from cache.world import HASHED, PLAIN, SURROUNDINGS, World, cached, raised, result
from executor_service.cache.cached_runs import CachedRuns
from executor_service.cache.key import run_key
from executor_service.cache.record import MAX_RECORD_BYTES
from executor_service.cache.store import MemoryStore
from executor_service.errors import SandboxDied
from executor_service.sandbox.runner.variants import FURTHER_SEEDS, OTHER, REPEAT, USUAL
from executor_service.sandbox.runs import RunError, RunResult
from executor_service.verifier import determinism


def ask(runs, times, request=PLAIN):
    async def one_after_the_other():
        return [await runs.run(request) for _ in range(times)]

    return asyncio.run(one_after_the_other())


def check(runs, request=PLAIN, memory=None):
    return asyncio.run(determinism.check(runs, request, clock=True, memory=memory or runs))


def variants(world):
    return [request.variant for request in world.requests]


def test_the_third_time_nothing_is_run():
    runs, world = cached(lambda request, number: 7)
    answers = ask(runs, 5)
    assert variants(world) == [USUAL, USUAL, OTHER]
    assert [answer.values for answer in answers] == [result("7").values] * 5
    assert [answer.cached for answer in answers] == [False, False, True, True, True]
    assert answers[2].usage == answers[1].usage == answers[4].usage
    found = runs.counters()
    assert (found.hits, found.misses, found.confirmations, found.stored) == (3, 2, 1, 1)
    assert found.hit_rate == 3 / 5
    assert found.entries == 1
    assert found.bytes > 0


def test_what_may_depend_on_hash_seeds_is_confirmed_with_all_of_them():
    runs, world = cached(lambda request, number: 7)
    ask(runs, 4, HASHED)
    assert variants(world) == [USUAL, USUAL, OTHER, *FURTHER_SEEDS]


NONDETERMINISTIC = {
    "random": lambda request, number: number,
    "hash seed or environment": lambda request, number: request.variant,
    "type": lambda request, number: 1.0 if request.variant == OTHER else 1,
    "moment": lambda request, number: number > 1,
    "raises elsewhere": lambda r, n: raised("x") if r.variant == OTHER else 1,
    "raises otherwise": lambda r, n: raised(str(r.variant)),
    "raises another": lambda r, n: raised("x", "KeyError" if r.variant else "ValueError"),
    "prints": lambda r, n: result("1", stdout=str(n)),
    "warns": lambda r, n: result("1", stderr=str(n)),
    "timeout elsewhere": lambda r, n: RunResult("timeout") if r.variant == OTHER else result("1"),
}


@pytest.mark.parametrize("name", NONDETERMINISTIC)
def test_runs_that_differ_are_never_kept_and_the_answer_is_the_usual_one(name):
    runs, world = cached(NONDETERMINISTIC[name])
    answers = ask(runs, 6)
    assert not any(answer.cached for answer in answers)
    # Confirming was tried once.
    assert variants(world) in ([USUAL] * 2 + [OTHER] + [USUAL] * 4, [USUAL] * 6)
    found = runs.counters()
    assert (found.hits, found.stored, found.entries) == (0, 0, 0)
    assert found.misses == 6
    assert found.refused_nondeterministic == 1


def test_a_third_seed_that_differs_is_enough():
    runs, world = cached(lambda request, number: request.variant == FURTHER_SEEDS[1])
    assert [answer.values[0]["v"] for answer in ask(runs, 5, HASHED)] == [False] * 5
    assert runs.counters().entries == 0
    assert world.runs == 5 + 3


NEVER = ["timeout", "memory_limit", "output_limit", "process_limit", "security_violation",
         "unsupported_value", "invalid_program", "invalid_input", "infra_error"]  # fmt: skip


@pytest.mark.parametrize("status", NEVER)
def test_a_limit_a_violation_or_our_failure_is_never_kept_nor_run_twice(status):
    runs, world = cached(lambda r, n: RunResult(status, error=RunError("", "")))
    assert [answer.status for answer in ask(runs, 4)] == [status] * 4
    assert variants(world) == [USUAL] * 4
    assert runs.counters().stored == 0


def test_a_program_that_raises_the_same_everywhere_is_kept():
    runs, world = cached(lambda request, number: raised("list index out of range"))
    answers = ask(runs, 4)
    assert variants(world) == [USUAL, USUAL, OTHER]
    assert answers[3].error == answers[0].error
    assert answers[3].status == "runtime_error"
    # In replicas, as without a cache, the first that raises ends the sequence.
    replicas = [replace(PLAIN, variant=variant) for variant in (USUAL, OTHER)]
    assert len(asyncio.run(runs.run_sequence(replicas))) == 1
    assert world.runs == 3


def test_what_a_run_printed_comes_with_it():
    runs, _ = cached(lambda request, number: result("1", stdout="hello\n"))
    assert ask(runs, 3)[2].stdout == "hello\n"


@pytest.mark.parametrize(
    "program",
    ["import time\ndef f(x): return time.monotonic() // 1e9", "import datetime\ndef f(x): ..."],
)
def test_what_reads_a_clock_is_never_kept(program):
    runs, world = cached(lambda request, number: 7)
    request = replace(PLAIN, program=program)
    ask(runs, 4, request)
    check(runs, request)
    assert runs.counters().stored == 0
    assert variants(world) == [USUAL] * 5 + [OTHER]


def test_a_result_too_long_to_keep_is_confirmed_once():
    runs, world = cached(lambda request, number: "x" * MAX_RECORD_BYTES)
    assert len({answer.values[0]["v"] for answer in ask(runs, 5)}) == 1
    assert world.runs == 5 + 1
    assert runs.counters().stored == 0


def test_a_validation_is_repeated_without_runs_and_looks_the_same():
    for request in (PLAIN, HASHED):
        runs, world = cached(lambda request, number: {"a": [1, 2.5, {3}]})
        first = check(runs, request)
        count = world.runs
        assert check(runs, request) == first
        assert check(runs, request).usage == first.usage
        assert world.runs == count == first.runs


def test_what_was_validated_is_known_to_a_single_run_and_to_replicas():
    runs, world = cached(lambda request, number: 7)
    check(runs)
    count = world.runs
    assert ask(runs, 1)[0].values == result("7").values
    plan = [replace(PLAIN, variant=determinism.replica_variant(index)) for index in range(5)]
    assert len(asyncio.run(runs.run_sequence(plan))) == 5
    assert world.runs == count


def test_two_seeds_do_not_make_a_hash_dependent_program_known():
    runs, world = cached(lambda request, number: 7)
    plan = [replace(HASHED, variant=variant) for variant in (USUAL, OTHER)]

    async def replicas():
        results = await runs.run_sequence(plan)
        await runs.remember(plan, results)

    asyncio.run(replicas())
    assert runs.counters().stored == 0
    asyncio.run(replicas())
    assert world.runs == 4


def test_replicas_that_agree_are_remembered():
    runs, world = cached(lambda request, number: 7)
    plan = [replace(PLAIN, variant=variant) for variant in (USUAL, OTHER, USUAL)]

    async def replicas():
        results = await runs.run_sequence(plan)
        await runs.remember(plan, results)
        return results

    first, again = asyncio.run(replicas()), asyncio.run(replicas())
    assert [one.values for one in first] == [one.values for one in again]
    assert all(one.cached for one in again)
    assert world.runs == 3


def test_replicas_that_differ_are_run_each_time():
    runs, world = cached(lambda request, number: number)
    plan = [replace(PLAIN, variant=variant) for variant in (USUAL, OTHER)]

    async def replicas():
        await runs.remember(plan, await runs.run_sequence(plan))

    for _ in range(3):
        asyncio.run(replicas())
    assert world.runs == 6


def test_what_two_calls_print_is_not_what_one_prints():
    runs, world = cached(lambda r, n: result("1", stdout="hello\n" * r.calls))
    first = check(runs)
    assert check(runs) == first
    assert world.runs == 2
    assert ask(runs, 1)[0].stdout == "hello\n"
    assert world.runs == 3


def test_a_single_run_does_not_stand_for_a_validation():
    # A program that keeps state between calls gives one and the same result to single runs.
    runs, world = cached(lambda request, number: 7)
    ask(runs, 3)
    count = world.runs
    check(runs)
    assert world.runs == count + 2


def test_luck_does_not_make_up_for_a_difference_once_seen():
    flips = iter([1, 2, *[5] * 99])
    runs, _ = cached(lambda request, number: next(flips))
    ask(runs, 2)
    assert runs.counters().refused_nondeterministic == 1
    check(runs)
    assert runs.counters().stored == 0


def test_other_requests_have_results_of_their_own():
    runs, world = cached(lambda request, number: 7)
    for program, entry in product(("def f(x): return 1", "def f(x): return 2"), "fg"):
        ask(runs, 3, replace(PLAIN, program=program, entry_point=entry))
    assert world.runs == 4 * 3


@pytest.mark.parametrize(
    "request_",
    [
        replace(PLAIN, environment={"USER": "x"}),
        replace(PLAIN, variant=OTHER),
        replace(PLAIN, variant=REPEAT),
        replace(PLAIN, calls=2),
    ],
)
def test_a_run_that_looks_for_a_difference_is_always_carried_out(request_):
    runs, world = cached(lambda request, number: 7)
    check(runs)
    count = world.runs
    ask(runs, 3, request_)
    assert world.runs == count + 3


def test_nothing_is_kept_before_the_surroundings_are_known():
    world = World(lambda request, number: 7)
    known: list[bytes | None] = [None]
    runs = CachedRuns(world, MemoryStore(1 << 20, ttl=1000), lambda: known[0])
    ask(runs, 4)
    check(runs)
    assert world.runs == 6
    known[0] = SURROUNDINGS
    ask(runs, 4)
    assert world.runs == 9
    known[0] = b"t" * 32
    ask(runs, 1)
    assert world.runs == 10


@pytest.mark.parametrize("poison", [b"", b"nonsense", b'[[0,"ok",{"t":"int","v":"x"}]]'])
def test_a_record_that_is_none_is_a_miss(poison):
    store = MemoryStore(1 << 20, ttl=1000)
    asyncio.run(store.put(run_key(SURROUNDINGS, PLAIN), poison))
    runs, world = cached(lambda request, number: 7, store)
    assert ask(runs, 4)[0].values == result("7").values
    assert world.runs == 3
    assert runs.counters().store_errors == 2


def test_a_sandbox_that_dies_of_another_variant_costs_no_answer():
    runs, world = cached(lambda r, n: SandboxDied("gone") if r.variant == OTHER else 7)
    assert [answer.values for answer in ask(runs, 4)] == [result("7").values] * 4
    assert variants(world) == [USUAL, USUAL, OTHER, USUAL, USUAL, USUAL]
    assert runs.counters().stored == 0
