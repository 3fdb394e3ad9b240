"""``benchmarks/simulate.py``: the sums behind its tables, and the tables."""

import importlib
import json
import math
import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture
def simulate(monkeypatch):
    monkeypatch.syspath_prepend(str(FOLDER))
    return importlib.import_module("simulate")


@pytest.fixture
def training(monkeypatch):
    monkeypatch.syspath_prepend(str(FOLDER))
    return importlib.import_module("training")


def shown(*arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, str(FOLDER / "simulate.py"), *arguments],
        capture_output=True, text=True, env={"COLUMNS": "160", "PATH": "/usr/bin:/bin"},
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_step_makes_the_calls_that_azr_makes(training):
    run = training.Training(batch=64, rollouts=8)
    calls = sum(
        count * (training.CASES if kind == training.INDUCTION else 1)
        for kind, count in run.operations().values()
    )
    assert calls == 4800


def test_processors_follow_from_the_costs(training):
    costs = {training.VALIDATE: 10.0, training.GIVEN: 0.0, training.ABDUCTION: 0.0,
             training.INDUCTION: 0.0}  # fmt: skip
    run = training.Training(kind_ms=costs)
    assert run.seconds() == pytest.approx(7.68)
    assert run.cores(60, 0.1) == 2
    assert run.cores(6, 0.1) == 13
    endless = training.Training(kind_ms=dict.fromkeys(costs, 0.0), endless=0.01, cpu_limit=5)
    # 128 proposals end with one run, 576 answers with one for each of five cases.
    assert endless.seconds() == pytest.approx(0.01 * 5 * (128 + 576 * 5))


def test_twice_the_workers_do_twice_as_much(simulate):
    costs = simulate.Costs()
    one, two = (simulate.predict(costs, count, 4, 30) for count in (1, 2))
    assert two.per_second == pytest.approx(2 * one.per_second)
    assert two.redis_busy == pytest.approx(2 * one.redis_busy)


def test_a_worker_process_is_no_faster_than_its_event_loop(simulate):
    costs = simulate.Costs(worker_ms=1.0, sandbox_ms=1.0)
    assert simulate.predict(costs, 1, 1, 30).per_second == pytest.approx(500)
    assert simulate.predict(costs, 1, 64, 30).per_second == pytest.approx(1000 * simulate.FULL)


def test_one_redis_ends_where_it_is_busy_and_larger_jobs_put_that_off(simulate):
    costs = simulate.Costs()
    last = simulate.last_for_one_redis(costs, 8, 30)
    assert simulate.predict(costs, last, 8, 30).fits
    assert not simulate.predict(costs, last + 1, 8, 30).fits
    assert simulate.last_for_one_redis(costs, 8, 120) > last


def test_shards_share_the_work_and_not_the_heartbeats(simulate):
    costs = simulate.Costs()
    whole = simulate.predict(costs, 1000, 8, 30)
    shards = math.ceil(1000 / simulate.last_for_one_redis(costs, 8, 30))
    assert shards > 1
    each = simulate.predict(costs, 1000, 8, 30, shards)
    assert each.fits
    assert each.redis_bytes < whole.redis_bytes / shards
    assert each.per_second == pytest.approx(whole.per_second, rel=0.01)


def test_api_processes_that_only_listen_to_heartbeats_are_no_stack(simulate):
    # Redis costs nothing here, and the workers' heartbeats take an API process's time.
    costs = simulate.Costs(redis_ms=0.0, redis_job_ms=0.0, idle_worker_redis_ms=0.0,
                           idle_worker_api_ms=1.0)  # fmt: skip
    assert simulate.last_for_one_redis(costs, 8, 30) == 599


def test_the_cost_of_a_job_is_told_from_that_of_its_operations(simulate, tmp_path):
    def row(chunk: float) -> dict[str, float]:
        return {"chunk": chunk, "cpu_us": 50 + 1000 / chunk, "commands": 2 + 60 / chunk,
                "bytes_in": 300 + 900 / chunk, "bytes_out": 100}  # fmt: skip

    kinds = {"validate": 8.5}
    measured = {"api_ms": 0.2, "worker_ms": 0.5, "kind_ms": kinds,
                "redis_by_chunk": {str(c): row(c) for c in (8, 30, 120)}}  # fmt: skip
    path = tmp_path / "scaling.json"
    path.write_text(json.dumps({"scaling": {"costs": measured}}))
    costs = simulate.read_costs(path)
    assert costs.redis_ms == pytest.approx(0.05)
    assert costs.redis_job_ms == pytest.approx(1.0)
    assert (costs.commands, costs.job_commands) == pytest.approx((2, 60))
    assert (costs.bytes, costs.job_bytes) == pytest.approx((400, 900))
    assert (costs.api_ms, costs.chunk) == (0.2, 30)
    assert "8.50" in shown("--training", "--costs", str(path))


def test_the_tables_say_where_one_redis_ends_and_what_a_step_needs():
    text = shown("--workers", "1", "--workers", "1000")
    assert "One Redis ends at" in text
    assert "1,000" in text
    assert "2,496" in shown("--training", "--endless", "0")
    assert "Examples" in shown("--help")
