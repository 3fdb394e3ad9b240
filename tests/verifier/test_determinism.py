"""The plan of runs and the judgement on them, with sandboxes that are made up."""

import asyncio
from dataclasses import replace

import pytest

from executor_service.sandbox.runner.variants import OTHER, REPEAT, USUAL
from executor_service.sandbox.runs import RunError, RunRequest, RunResult, Usage
from executor_service.typed.literals import parse_literal
from executor_service.verifier import determinism

REQUEST = RunRequest("def f(): pass", "f")
USED = Usage(1.0, 1.0, 10)


class World:
    """Stands for the sandboxes: a program is a function of the request and of the call's number."""

    def __init__(self, program):
        self.program = program
        self.requests = []

    async def run(self, request):
        self.requests.append(request)
        values = [self.program(request, call) for call in range(request.calls)]
        for value in values:
            if isinstance(value, RunResult):
                return replace(value, usage=USED)
        return RunResult("ok", tuple(parse_literal(repr(v)) for v in values), usage=USED)

    async def run_sequence(self, requests):
        results = []
        for request in requests:
            results.append(await self.run(request))
            if results[-1].status != "ok":
                break
        return results


def fails(status):
    return RunResult(status, error=RunError("", status))


def check(program, *, clock=False):
    world = World(program)
    return asyncio.run(determinism.check(world, REQUEST, clock=clock)), world


def environment(request):
    return request.environment is not None or request.variant == OTHER


def test_two_processes_that_differ_call_twice_each():
    found, world = check(lambda request, call: 7)
    assert [(r.variant, r.calls) for r in world.requests] == [(USUAL, 2), (OTHER, 2)]
    assert (found.agree, found.runs, found.broken_by) == (True, 2, None)
    assert found.observations == ("7",) * 4
    assert found.result.status == "ok"
    assert found.usage == Usage(2.0, 2.0, 10)


def test_the_clock_is_listed_only_where_it_is_varied():
    assert check(lambda request, call: 1)[0].varied == (
        "hash_seed", "process", "environment", "call",
    )  # fmt: skip
    assert "clock" in check(lambda request, call: 1, clock=True)[0].varied


def shifted(request):
    """Tell whether the clock of a run is the real one, another one, or stands still."""
    faked = (request.environment or {}).get("FAKETIME")
    if faked == "+0" or request.variant != OTHER:
        return "real"
    return "still" if faked else "ahead"


CULPRITS = {
    "hash_seed": lambda request, call: request.variant == OTHER,
    "process": lambda request, call: world_counter(),
    "environment": lambda request, call: (
        request.environment["USER"] if request.environment else request.variant == OTHER
    ),
    "call": lambda request, call: call,
    "clock": lambda request, call: shifted(request),
}
_counter = iter(range(10**9))


def world_counter():
    return next(_counter) // 2


@pytest.mark.parametrize("factor", CULPRITS)
def test_the_factor_that_breaks_it_is_named(factor):
    found, _ = check(CULPRITS[factor], clock=True)
    assert found.agree is False
    assert found.broken_by == factor
    assert len(set(found.observations)) > 1
    assert found.result.status == "ok"


def test_without_a_clock_to_shift_the_clock_is_not_blamed():
    found, _ = check(CULPRITS["clock"], clock=False)
    assert found.broken_by == "hash_seed"


def test_a_program_that_reads_a_moving_clock_in_each_call_is_blamed_on_the_clock():
    ticks = iter(range(10**6))

    def program(request, call):
        return 0 if shifted(request) == "still" else next(ticks)

    assert check(program, clock=True)[0].broken_by == "clock"
    assert check(program, clock=False)[0].broken_by == "call"


@pytest.mark.parametrize("status", ["timeout", "security_violation", "runtime_error"])
def test_a_first_run_that_fails_is_the_answer_and_no_disagreement(status):
    found, world = check(lambda request, call: fails(status))
    assert (found.result.status, found.agree, found.broken_by) == (status, True, None)
    assert found.runs == len(world.requests) == 1


def test_a_limit_in_the_second_process_is_the_answer():
    found, _ = check(lambda r, call: fails("timeout") if r.variant == OTHER else 1)
    assert (found.result.status, found.agree) == ("timeout", True)


def test_raising_in_one_process_alone_is_nondeterministic():
    found, _ = check(lambda r, call: fails("runtime_error") if r.variant == OTHER else 1)
    assert found.agree is False
    assert found.broken_by == "hash_seed"
    assert found.observations[-1].startswith("runtime_error")


def test_the_runs_that_explain_are_counted_and_paid_for():
    found, world = check(CULPRITS["hash_seed"])
    assert found.runs == len(world.requests)
    assert found.usage.cpu_ms == found.runs
    assert REPEAT in {request.variant for request in world.requests}


def ok(text):
    return RunResult("ok", (parse_literal(text),))


def test_replicas_agree_on_equal_values():
    assert determinism.agreement([ok("1"), ok("1")]) == ok("1")
    assert determinism.agreement([ok("{1, 2}"), ok("{2, 1}")]) is not None
    assert determinism.agreement([ok("1"), ok("2")]) is None
    assert determinism.agreement([ok("1"), ok("1.0")]) is None
    assert determinism.agreement([ok("1"), fails("runtime_error")]) is None


def test_replicas_that_all_raise_agree():
    assert determinism.agreement([fails("runtime_error")] * 2).status == "runtime_error"


def test_a_limit_in_any_replica_is_the_answer():
    for results in ([ok("1"), fails("timeout")], [fails("timeout"), ok("1")]):
        assert determinism.agreement(results).status == "timeout"


def test_replicas_take_turns_between_the_variants():
    assert [determinism.replica_variant(n) for n in range(4)] == [USUAL, OTHER, USUAL, OTHER]


@pytest.mark.parametrize(
    ("program", "expected"),
    [
        ("def f(x):\n    return list(set(x))", True),
        ("def f(x):\n    return [y for y in {x, 1}]", True),
        ("def f(x):\n    return hash(x)", True),
        ("def f(a, b):\n    return list(a.keys() & b.keys())", True),
        ("def f(x):\n    return {'a': x}", False),
        ("def f(x):\n    return x + 1", False),
        ("def f(x):\n    return {}", False),
    ],
)
def test_what_mentions_sets_or_hash_gets_further_seeds(program, expected):
    assert determinism.may_depend_on_hash(RunRequest(program, "f")) is expected
