"""The scaling measurement: its arithmetic, and small pieces of it on real processes."""

import asyncio
import io
import os
import time
from collections import Counter

import pytest
from rich.console import Console

from executor_service.bench import crowd
from executor_service.bench.crowd import Served
from executor_service.bench.http_load import request_bytes
from executor_service.bench.processor_time import (
    below,
    machine_seconds,
    own_seconds,
    process_times,
    seconds_below,
)
from executor_service.bench.records import Sample
from executor_service.bench.redis_use import RedisUse, redis_use
from executor_service.bench.scaling import Configuration, Idle, Measured, Scaling, _measure, kinds
from executor_service.bench.scaling_report import (
    latency_ratios,
    limit,
    ratio,
    scaling_summary,
    show_scaling,
)
from executor_service.operations import parse_operation
from executor_service.settings import Settings
from redis_server import need_redis

TASK = Sample("def f(x):\n    return x + 1", (), "1", "2")
ITEM = {"op": "verify", "mode": "deduction", "program": TASK.program, "input": "1", "answer": "2"}


def measured(**changes) -> Measured:
    """Ten seconds at 100 a second on a machine that was busy with nothing else."""
    cpu = changes.pop("cpu", {"API": 0.5, "workers": 1.0, "sandboxes": 3.0, "Redis": 0.2})
    use = RedisUse(Counter({"rpush": 40, "xadd": 960}), 2000, 3000, 0.2)
    values = {"rates": [100.0, 110.0], "items": 1000, "seconds": 10.0, "cpu": cpu,
              "busy": sum(cpu.values()), "redis": use}  # fmt: skip
    return Measured(**(values | changes))


def made_up_scaling() -> Scaling:
    """A measurement of which every table has something to show."""
    served = Served(2.0, [1.0, 2.0, 30.0], [0.5], 200, 90, 3, 2)
    names = ["embedded, 2 slots", "1 worker × 2 slots", "1 worker × 2 slots, Docker"]
    return Scaling(
        2,
        2,
        by_configuration={
            names[0]: measured(cpu={"API": 1.0, "sandboxes": 3.0}, redis=RedisUse()),
            names[1]: measured(),
        },
        by_kind={"validate": measured()},
        latency_ms={
            names[0]: [1.0, 2.0, 3.0],
            names[1]: [5.0, 6.0, 7.0],
            names[2]: [6.0, 7.0, 8.0],
        },
        capacity={name: measured() for name in names},
        crowded=dict.fromkeys(names, served),
        by_chunk={8: measured(), 32: measured(redis=RedisUse(Counter({"rpush": 10}), 9, 9, 0.1))},
        offered=dict.fromkeys(names, served),
        idle=[
            Idle(count, 10.0, RedisUse(Counter({"set": 50 * count}), 100 * count, 0, 0.01 * count),
                 {"API": 0.1 + 0.02 * count}, 1500.0, 2000.0)
            for count in (1, 4)
        ],
        not_measured={"Docker": "no daemon"},
    )  # fmt: skip


def test_the_time_of_processes_that_ended_is_that_of_their_tree():
    before = seconds_below(process_times(), [os.getpid()])
    child = os.fork()
    if child == 0:
        end = time.process_time() + 0.2
        while time.process_time() < end:
            pass
        os._exit(0)
    os.waitpid(child, 0)
    times = process_times()
    assert seconds_below(times, [os.getpid()]) - before >= 0.15
    assert child not in times
    assert os.getpid() in {process.pid for process in below(times, [os.getppid()])}
    assert own_seconds(times, [os.getpid()]) == pytest.approx(time.process_time(), abs=0.5)
    assert all(seconds > 0 for seconds in machine_seconds())


def test_every_kind_is_an_operation_that_the_service_takes():
    found = kinds([TASK])
    assert len(found) == 5
    for (item,), good in found.values():
        parse_operation(item["op"], {name: v for name, v in item.items() if name != "op"})
        assert good
    ((known,), _) = found["deduction, output given"]
    assert "input" not in known
    ((induction,), _) = found["induction, 5 cases"]
    assert len(induction["cases"]) == 5


def test_what_limits_is_the_processors_or_one_process_or_neither():
    assert limit(measured(cpu={"sandboxes": 15.0, "API": 4.0}), 2, workers=1) == (
        "the 2 processors: sandboxes 79%, API 21%"
    )
    assert limit(measured(cpu={"API": 9.5}), 16, workers=1) == "one processor for each process: API"
    assert "workers" not in limit(measured(cpu={"workers": 9.5}), 16, workers=2)
    assert limit(measured(), 2, workers=1) == "waiting: 1.5 processors were idle"


def test_ratios_are_taken_within_rounds():
    slow = measured(rates=[10.0, 100.0, 5.0])
    fast = measured(rates=[20.0, 200.0, 10.0])
    assert ratio(slow, fast) == 0.5
    assert latency_ratios(made_up_scaling())["1 worker × 2 slots"] == 3.0


def test_use_of_redis_is_the_difference_of_two_moments():
    before = RedisUse(Counter({"set": 3, "get": 1}), 10, 20, 1.0)
    after = RedisUse(Counter({"set": 5, "get": 1, "rpush": 2}), 110, 220, 1.5)
    use = after - before
    assert use == RedisUse(Counter({"set": 2, "rpush": 2}), 100, 200, 0.5)
    assert use.chunks == 2


def test_answers_are_counted_by_what_they_say():
    served = Served(1.0)
    served.count(200, b'"status":"correct","status":"correct","status":"infra_error"', 4, 10.0)
    served.count(429, b"", 4, 1.0)
    served.count(500, b'"status":"correct"', 4, 2.0)
    assert (served.offered, served.correct, served.late, served.failed) == (12, 2, 1, 5)
    assert served.refused_share == pytest.approx(1 / 3)
    assert served.rate == 2.0
    assert Served().p(0.5) is None


def test_tables_and_json_hold_what_was_measured():
    shown = io.StringIO()
    show_scaling(Console(file=shown, width=120), made_up_scaling())
    text = shown.getvalue()
    for words in ("1 worker × 2 slots, Docker", "≤ 4", "no daemon", "heartbeat has 1,500 bytes"):
        assert words in text
    costs = scaling_summary(made_up_scaling())["costs"]
    assert costs["worker_ms"] == 1.0
    # Three workers more: 150 commands in ten seconds.
    assert costs["idle_worker_commands"] == pytest.approx(5.0)
    assert costs["idle_worker_redis_ms"] == pytest.approx(1.0)


@pytest.mark.redis
def test_a_stack_is_measured_and_leaves_nothing():
    need_redis()
    into = Measured()
    body = request_bytes("POST", "/v1/verify", {k: v for k, v in ITEM.items() if k != "op"})

    async def measure():
        async with Configuration(1, 1).start(Settings(cache_bytes=0)) as stack:
            await _measure(stack, ([ITEM], b'"status":"correct"'), 0.2, into)
            everyone = [stack.api, stack.redis_pid, *stack.workers]
            assert redis_use(stack.redis_client).chunks > 0
            closed = await crowd.closed(stack.port, [body], 4, 0.2)
            offered = await crowd.offered(stack.port, [ITEM], 20_000, patience=0.05, seconds=0.2)
            return everyone, closed, offered

    everyone, closed, offered = asyncio.run(measure())
    assert into.not_good == 0
    assert into.items >= 256
    assert into.redis.commands["rpush"] >= into.items / 32
    assert {part for part, seconds in into.cpu.items() if seconds > 0} >= {"workers", "sandboxes"}
    assert closed.correct == len(closed.latency_ms) >= 4
    assert offered.refusal_ms, "nobody waits 50 ms for thousands of operations"
    assert offered.correct + offered.late + offered.failed + 32 * len(offered.refusal_ms) == (
        offered.offered
    )
    assert not set(everyone) & set(process_times())
