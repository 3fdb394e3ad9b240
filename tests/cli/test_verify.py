"""``azr-executor verify``: single tasks and files of operations, without a server."""

import json

import pytest

from cli.command import run, run_here

DOUBLE = "def f(x):\n    return x * 2\n"


@pytest.fixture
def program(tmp_path):
    path = tmp_path / "task.py"
    path.write_text(DOUBLE)
    return str(path)


SINGLE = [
    (["--input", "'ab'", "--answer", "'abab'"], 0, {"status": "correct", "score": 1.0}),
    (["--input", "'ab'", "--answer", "'ab'"], 1, {"status": "wrong", "score": 0.0}),
    (["--output", "12", "--answer", "6"], 0, {"status": "correct"}),
    (["--output", "12", "--answer", "os.getpid()"], 1, {"status": "invalid_answer"}),
    (["--input", "1", "--answer", "2", "--output", "2"], 0, {"status": "correct"}),
    (["--input", "[3, 1]"], 0, {"valid": True, "output": "[3, 1, 3, 1]"}),
    (["--input", "None"], 1, {"valid": False, "reason": "runtime_error"}),
    (["--input", "1", "--entry-point", "g"], 1, {"reason": "invalid_program"}),
]


@pytest.mark.parametrize(("flags", "code", "fields"), SINGLE, ids=range(len(SINGLE)))
def test_one_task_is_judged_and_the_exit_status_says_how(program, flags, code, fields):
    done = run_here("verify", "--slots", "1", "--program", program, *flags)
    assert done.exit_code == code, done.stderr
    assert json.loads(done.stdout).items() >= fields.items()


def test_a_file_of_operations_gives_a_line_per_operation(tmp_path):
    items = [
        {
            "op": "verify",
            "mode": "deduction",
            "program": DOUBLE,
            "input": str(n),
            "answer": str(2 * n),
        }
        for n in range(40)
    ]
    items += [{"op": "execute", "program": DOUBLE, "inputs": ["1"]}]
    source, results = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    source.write_text("\n\n".join(json.dumps(item) for item in items) + "\n")
    done = run("verify", "--slots", "2", "--operations", str(source), "--results", str(results))
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    assert "correct: 40" in done.stderr
    lines = [json.loads(line) for line in results.read_text().splitlines()]
    assert sorted(line["index"] for line in lines) == list(range(41))
    assert all(line["status"] == "correct" for line in lines if line["index"] < 40)


def test_operations_come_from_stdin_and_bad_ones_are_answered_in_their_place():
    items = [
        {"op": "verify", "mode": "deduction", "program": DOUBLE, "input": "1", "answer": "3"},
        {"op": "nothing"},
        {"op": "execute", "program": DOUBLE, "inputs": ["1"], "limits": {"memory_mb": 10**6}},
    ]
    text = "\n".join(json.dumps(item) for item in items)
    done = run("verify", "--slots", "1", "--operations", "-", stdin=text)
    assert done.returncode == 1
    lines = {line["index"]: line for line in map(json.loads, done.stdout.splitlines())}
    assert lines[0]["status"] == "wrong"
    assert lines[1]["error"]["field"] == "op"
    assert lines[2]["error"]["field"] == "limits.memory_mb"
    assert "unacceptable: 2" in done.stderr


MISTAKES = [
    ([], "--program"),
    (["--program", "PROGRAM", "--operations", "PROGRAM"], "--program"),
    (["--program", "PROGRAM"], "--input"),
    (["--program", "PROGRAM", "--answer", "1"], "--output"),
    (["--program", "no such file", "--input", "1"], "no such file"),
    (["--operations", "PROGRAM"], "line 1"),
    (["--program", "PROGRAM", "--input", "1", "--slots", "0"], "EXECUTOR_SLOTS"),
    (["--program", "PROGRAM", "--input", "1", "--backend", "chroot"], "EXECUTOR_BACKEND"),
]


@pytest.mark.parametrize(("flags", "word"), MISTAKES, ids=range(len(MISTAKES)))
def test_a_mistake_is_told_in_words_and_ends_with_2(program, flags, word):
    done = run_here("verify", *[program if flag == "PROGRAM" else flag for flag in flags])
    assert done.exit_code == 2
    assert word in done.stderr
    assert "Traceback" not in done.stderr


def test_a_host_that_lacks_something_is_told_in_one_line(program):
    flags = ["verify", "--program", program, "--input", "1"]
    done = run_here(*flags, EXECUTOR_PYTHON="/no/python")
    assert done.exit_code == 1
    assert done.stderr.startswith("azr-executor: EXECUTOR_PYTHON")
    assert "Traceback" not in done.stderr
