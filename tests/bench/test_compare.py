"""``benchmarks/compare.py``: the scripts it judges by, the work it makes, and a small real run."""

import importlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture
def part(monkeypatch):
    monkeypatch.syspath_prepend(str(FOLDER))
    return lambda name: importlib.import_module(f"compare_{name}")


def ended(*arguments: str):
    return subprocess.run(
        [sys.executable, *arguments], check=False, capture_output=True, text=True, timeout=240
    )


def test_plain_answers_are_judged_rightly_by_either_manner(part):
    scripts = part("scripts")
    for item, right in part("attacks").CONTROLS:
        for judged_by in scripts.JUDGED_BY:
            done = ended("-c", scripts.script(item, judged_by))
            end = scripts.End(done.returncode, done.stdout, done.stderr)
            assert scripts.verdict(item, judged_by, end).correct is right, (item, judged_by)


def test_a_script_that_was_killed_or_failed_is_not_correct(part):
    scripts, (item, _) = part("scripts"), part("attacks").CONTROLS[0]
    for end in (scripts.End(None, "8\n", "timeout"), scripts.End(1, "8\n", "a\nb: c")):
        for judged_by in scripts.JUDGED_BY:
            assert scripts.verdict(item, judged_by, end) == (False, end.said.splitlines()[-1])


def test_the_work_has_every_mode_and_right_and_wrong_answers_and_is_repeatable(part):
    work = part("work")
    items = work.work(None, 90, seed=1)
    assert items == work.work(None, 90, seed=1) != work.work(None, 90, seed=2)
    assert {mode: sum(item.mode == mode for item in items) for mode in work.MODES} == dict.fromkeys(
        work.MODES, 30
    )
    deductions = [item for item in items if item.mode == "deduction"]
    right = sum(item.answer == item.cases[0][1] for item in deductions)
    assert 5 < right < 25
    for item in items:
        operation = item.operation()
        assert "output" not in operation or item.mode == "abduction"
        assert len(item.cases) <= work.MOST_CASES


def test_a_pool_of_workers_outlives_what_programs_do_to_it(part):
    pool = part("exec").ExecPool(1)
    try:
        assert pool.run("print(1)", 5).stdout == "1\n"
        assert pool.run("import os; os._exit(0)", 5).code is None
        assert "timeout" in pool.run("while True: pass", 0.2).said
        assert pool.run("import builtins; builtins.exec = lambda *_: None", 5).code == 0
        assert pool.run("1 / 0", 5).code == 0, "a worker remembers: that is what is shown"
        pool.renew()
        assert pool.run("1 / 0", 5) == (1, "", "ZeroDivisionError: division by zero")
    finally:
        pool.close()


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    output = tmp_path_factory.mktemp("compare") / "compare.json"
    done = ended(
        str(FOLDER / "compare.py"), "--items", "6", "--rounds", "2", "--seconds", "0",
        "--only", "process", "--only", "exec", "--output", str(output), "--markdown",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(output.read_text()), done.stdout


def test_every_way_judges_every_answer_in_every_round(measured):
    found, shown = measured
    assert set(found["ways"]) == {
        "this service", "... batches of 32", "fresh process (unsafe)", "exec in a pool (unsafe)",
    }  # fmt: skip
    for name, way in found["ways"].items():
        assert len(way["rates_per_second"]) == 2
        assert len(way["verdicts"]) == 6
        assert f"| {name} |" in shown
        assert not way["trouble"]
        assert not way["differ"], "the shipped sample is plain data"


def test_scripts_can_cheat_whoever_runs_them_and_the_service_cannot_be(measured):
    cheats = measured[0]["cheats"]
    through = {
        (way, by): sum(correct is True for correct, _ in found["verdicts"].values())
        for way, manners in cheats.items()
        for by, found in manners.items()
    }
    assert through[("this service", "itself")] == 0
    assert through[("fresh process (unsafe)", "exit status")] >= 10
    assert through[("fresh process (unsafe)", "stdout")] >= 2
    assert through[("exec in a pool (unsafe)", "exit status")] >= 6
    assert {found["plain"] for manners in cheats.values() for found in manners.values()} == {6}


def test_help_has_examples_and_an_unknown_way_is_refused():
    shown = ended(str(FOLDER / "compare.py"), "--help").stdout
    assert "python benchmarks/compare.py --only docker --only container" in " ".join(shown.split())
    refused = ended(str(FOLDER / "compare.py"), "--only", "hope")
    assert refused.returncode == 2
    assert "hope" in refused.stderr
