"""The trace of self-play, and what a cache makes of it in real sandboxes."""

import json
from collections import Counter

import pytest

from executor_service.bench import cache_effect
from executor_service.bench.cache_effect import CacheEffect, Replay
from executor_service.bench.cache_trace import ROLLOUTS, TraceShape, make_trace
from executor_service.bench.records import INDUCTIONS, TRIPLETS
from executor_service.settings import Settings

KINDS = {"validate", "deduction", "abduction", "induction"}


@pytest.fixture
def folder(tmp_path):
    """A data folder with tasks of all kinds, made up."""
    triplets = [
        {"snippet": f"def f(x):\n    return x + {n}", "input": "1", "output": str(1 + n)}
        for n in range(16)
    ]
    tasks = [
        {
            "snippet": f"def f(x):\n    return x * {n}",
            "inputs": [str(i) for i in range(4)],
            "outputs": [str(i * n) for i in range(4)],
        }
        for n in range(8)
    ]
    for name, records in ((TRIPLETS[0], triplets), (INDUCTIONS[0], tasks)):
        lines = [json.dumps(record | {"imports": []}) for record in records]
        (tmp_path / name).write_text("\n".join(lines) + "\n")
    return tmp_path


def counts(trace):
    return Counter(kind for batch in trace for kind, _ in batch)


def test_a_trace_has_the_order_and_the_counts_of_self_play(folder):
    trace = make_trace(folder, TraceShape(steps=1, tasks=2))
    assert [batch[0][0] for batch in trace] == [
        "validate", "deduction", "deduction", "validate", "abduction", "abduction",
        "validate", "induction", "induction",
    ]  # fmt: skip
    judged = 2 * ROLLOUTS + 2
    assert counts(trace) == {
        "validate": 2 + 2 + 2 * 4, "deduction": judged, "abduction": judged, "induction": judged,
    }  # fmt: skip


def test_a_seed_is_a_trace(folder):
    shape = TraceShape(steps=2, tasks=2)
    assert make_trace(folder, shape) == make_trace(folder, shape)
    assert make_trace(folder, shape) != make_trace(folder, shape, seed=1)


def test_gold_is_sent_or_left_to_the_service(folder):
    for send_gold in (True, False):
        trace = make_trace(folder, TraceShape(1, 2, send_gold=send_gold))
        operations = [one for batch in trace for kind, one in batch if kind == "deduction"]
        assert {operation.output is not None for operation in operations} == {send_gold}


def test_where_the_data_ends_the_proposals_do(folder):
    trace = make_trace(folder, TraceShape(steps=50, tasks=2))
    validated = [one for batch in trace for kind, one in batch if kind == "validate"]
    assert len(validated) == len(set(map(repr, validated)))
    assert len(trace) < 50 * 9


def test_without_data_the_shipped_sample_is_used():
    assert counts(make_trace(None, TraceShape(1, 2))).keys() == KINDS


def test_the_cache_changes_no_verdict_and_spares_runs(folder):
    trace = make_trace(folder, TraceShape(steps=2, tasks=2, send_gold=False))
    seen = []
    effect = cache_effect.measure(Settings(slots=2), trace, 1, seen.append)
    assert sum(seen) == 2 * sum(map(len, trace))
    assert effect.different() == []
    off, on = effect.off[0], effect.on[0]
    assert "correct" in on.statuses
    assert on.cpu_seconds > 0
    assert "unacceptable" not in on.statuses
    assert off.counters.hits == off.counters.coalesced == 0
    assert off.runs == on.runs + on.counters.hits + on.counters.coalesced - (
        on.counters.confirmations
    )
    # Every deduction asks for what its validation found, or for what an earlier one asked for.
    assert on.runs_of["deduction"] < off.runs_of["deduction"] / 3
    summary = effect.summary()
    assert summary["different"] == 0
    assert summary["kinds"].keys() == KINDS
    assert json.loads(json.dumps(summary)) == summary


def test_a_verdict_that_the_cache_changes_is_named():
    off, on = Replay(1.0, 3.0, ["correct", "wrong"]), Replay(0.5, 2.0, ["correct", "correct"])
    effect = CacheEffect(Counter(), 1, "bubblewrap", [off], [on])
    assert effect.different() == [(1, "wrong", "correct")]
    assert (effect.speed_ratio, effect.cpu_ratio) == (2.0, 1.5)
    assert CacheEffect(Counter(), 1, "docker", [off], [on]).cpu_ratio is None
