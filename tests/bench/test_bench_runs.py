"""The bench itself, on small input, in real sandboxes."""

import asyncio
import json

import pytest
from typer.testing import CliRunner

from executor_service.bench import overload
from executor_service.bench.data import explain, run_data
from executor_service.bench.http_load import Load, latencies, request_bytes, serving
from executor_service.bench.mix import make_mix
from executor_service.bench.outside import BareFork, fresh_python
from executor_service.bench.records import MBPP, TRIPLETS, sample
from executor_service.cli.main import app
from executor_service.service import running_service
from executor_service.settings import Settings

_LONG = "def f(n):\n    return list(range(n))"
_CUT = repr(list(range(300)))
_RECORDS = {
    "reproduced": {"snippet": "def f(x):\n    return {x, 1}", "input": "2", "output": "{2, 1}"},
    "hash": {"snippet": "def f(x):\n    return list(set(x))", "input": "'hello, world'",
             "output": "['o']"},
    "state": {"snippet": "s = []\ndef f(x):\n    s.append(x)\n    return len(s)", "input": "2",
              "output": ""},
    "cut": {"snippet": _LONG, "input": "300", "output": f"{_CUT[:200]}...{_CUT[-200:]}"},
    "generator": {"snippet": "def f(x):\n    yield x", "input": "2", "output": ""},
    "order": {"snippet": "def f(x):\n    return [1, 2]", "input": "0", "output": "[2, 1]"},
    "expression": {"snippet": "def f(x):\n    return x", "input": "f(3)", "output": "3"},
    "long": {"snippet": _LONG, "input": "160_000", "output": "1"},
}  # fmt: skip


@pytest.fixture
def folder(tmp_path):
    lines = [json.dumps(record | {"imports": []}) for record in _RECORDS.values()]
    (tmp_path / TRIPLETS[0]).write_text("\n".join(lines) + "\n")
    task = {
        "task_id": "Mbpp/1",
        "prompt": "assert g((3, 4)) == (4, 3)",
        "entry_point": "g",
        "canonical_solution": "def g(pair):\n    assert type(pair) is tuple\n    return pair[::-1]",
        "base_input": [[[1, 2]]],
        "plus_input": [[[index, [index]]] for index in range(70)],
    }
    (tmp_path / MBPP).write_text(json.dumps(task) + "\n")
    return tmp_path


def test_every_triplet_is_reproduced_or_named_with_its_reason(folder):
    async def run():
        async with running_service(Settings(slots=1)) as service:
            return await run_data(service, folder, lambda count: None)

    (counts,) = asyncio.run(run()).values()
    lines = dict(zip(_RECORDS, range(1, len(_RECORDS) + 1), strict=True))
    name = {f"7b_coder_seed_io:{line}": key for key, line in lines.items()}
    nondeterministic = {name[where]: why for where, why in counts.nondeterministic}
    others = {name[where]: why for where, why in counts.others}
    assert nondeterministic["state"] == "call; the record is empty"
    assert nondeterministic["hash"] == "hash_seed"
    assert "first and last 200 of 1390 characters" in others["cut"]
    assert others["generator"].startswith("unsupported_value")
    assert others["order"].startswith("only the order differs")
    assert others["long"].startswith("output_limit") and "largest limits" in others["long"]
    assert counts.reproduced + len(nondeterministic) + len(others) == counts.triplets == 8
    assert counts.reproduced == 2
    # An expression may be a task's input, and never an answer.
    assert counts.statuses["abduction"]["invalid_answer"] == 1


@pytest.mark.parametrize(
    ("recorded", "computed", "words"),
    [
        ("", "1", "the record is empty"),
        ("[1, 2]", "[2, 1]", "only the order"),
        ("1", "2", "1 was recorded for 2"),
        ("x" * 200 + "..." + "x" * 200, "y" * 500, "cut, and differs from the 500"),
    ],
)
def test_a_difference_is_explained(recorded, computed, words):
    assert words in explain(recorded, computed, {"status": "wrong", "message": ""})


def test_load_changes_no_verdict(monkeypatch):
    monkeypatch.setattr(overload, "FACTOR", 3)
    mix = make_mix(sample(None), 60)
    passes = overload.run(Settings(slots=1), mix, lambda count: None)
    assert [one.clients for one in passes] == [1, 3, 3]
    assert [one.slots for one in passes] == [1, 1, 3]
    assert [one.different + one.unexpected for one in passes] == [[], [], []]
    assert sum(passes[0].statuses.values()) == 60


def test_a_verdict_that_changes_is_reported(monkeypatch):
    seen = 0

    async def fickle(service, operation):
        nonlocal seen
        seen += 1
        return {"status": "correct" if seen <= 2 else "timeout"}

    monkeypatch.setattr(overload, "carry_out", fickle)
    passes = overload.run(Settings(slots=1), make_mix(sample(None), 2), lambda count: None)
    assert [len(one.different) for one in passes] == [0, 2, 2]


def test_the_busy_loops_end_with_their_block():
    with overload.hogs(2):
        pass


def test_a_bare_fork_and_a_fresh_interpreter_are_measured():
    settings = Settings(slots=1)
    forks = asyncio.run(BareFork(settings).measure(0.1, warm=True))
    fresh = asyncio.run(fresh_python(settings, 0.1))
    assert forks > fresh > 0


def test_batches_and_single_requests_are_measured_over_http():
    item = {"mode": "deduction", "program": "def f(x):\n    return x", "input": "1", "answer": "1"}

    async def run():
        async with serving(Settings(slots=1)) as server:
            load = Load.of(server, [{"op": "verify", **item}], b'"status":"correct"')
            rate = await load.measure(0.1)
            single = [request_bytes("POST", "/v1/verify", item)]
            return load, rate, await latencies(server.port, single, 0.1)

    load, rate, times = asyncio.run(run())
    assert rate > 0
    assert load.items >= 256
    assert load.not_good == 0
    assert len(times) >= 2


def test_the_command_writes_what_it_shows(folder, tmp_path):
    output = tmp_path / "bench.json"
    arguments = ["bench", "--only", "data", "--data", str(folder), "--output", str(output)]
    shown = CliRunner().invoke(app, arguments)
    assert shown.exit_code == 0, shown.output
    results = json.loads(output.read_text())
    assert results["data"]["triplets"]["7b_coder_seed_io"]["reproduced"] == 2
    assert results["data"]["canonical"]["MBPP+"]["cases"] == {"correct": 71}
    assert results["data"]["canonical"]["MBPP+"]["whole"] == 1
    assert "7b_coder_seed_io:3: call; the record is empty" in shown.output


def test_data_without_a_folder_is_a_usage_error():
    assert CliRunner().invoke(app, ["bench", "--only", "data"]).exit_code == 2
