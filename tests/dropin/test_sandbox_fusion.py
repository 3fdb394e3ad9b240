"""``/run_code``: SandboxFusion's shapes, to the letter, whatever a script does."""

import base64

import pytest

from dropin.clients import Peers, VerlError

FLOOD = "import sys\nfor _ in range(1000):\n    sys.{}.write('x' * 10485)\nprint('end')"
RESPONSE = {"status", "message", "compile_result", "run_result", "executor_pod_name", "files"}
RUN = {"status", "execution_time", "return_code", "stdout", "stderr"}


def run_of(answer, *, status):
    assert set(answer) == RESPONSE
    assert answer["status"] == status
    assert answer["compile_result"] is None
    assert set(answer["run_result"]) == RUN
    assert answer["run_result"]["execution_time"] >= 0
    return answer["run_result"]


def test_a_script_that_ends_well_is_a_success(peers: Peers):
    run = run_of(peers.verl("print(int(input()) * 2)", "21\n"), status="Success")
    assert (run["status"], run["return_code"]) == ("Finished", 0)
    assert (run["stdout"], run["stderr"]) == ("42\n", "")


def test_verl_judges_cases_by_it(peers: Peers):
    double = "print(int(input()) * 2)"
    assert peers.verl_case(double, "4", "8") is True
    assert peers.verl_case(double, "4", "9") is False
    assert peers.verl_case(double, "four", "8") == -2
    assert peers.verl_case("while True: pass", "", "", timeout=0.3) == -3


def test_a_script_runs_as_main_with_input_arguments_and_a_place_of_its_own(peers: Peers):
    code = """
import os, sys
if __name__ == '__main__':
    here = os.path.dirname(__file__)
    print(__file__ == sys.argv[0], os.getcwd() == here, sys.path[0] == here)
    print(sys.stdin.readline(), sys.stdin.read(), end='')
"""
    run = run_of(peers.run_code(code, stdin="one\ntwo\nthree"), status="Success")
    assert run["stdout"] == "True True True\none\n two\nthree"


@pytest.mark.parametrize(
    ("code", "returned", "said"),
    [
        ("import sys; sys.exit(3)", 3, ""),
        ("raise SystemExit", 0, ""),
        ("exit()", 0, ""),
        ("quit(258)", 2, ""),
        ("import sys; sys.exit('no')", 1, "no\n"),
        ("import os; os._exit(70)", 70, ""),
        ("1 / 0", 1, "ZeroDivisionError: division by zero\n"),
        ("def f(:\n  pass", 1, "SyntaxError: invalid syntax\n"),
        ("raise KeyboardInterrupt", 130, "KeyboardInterrupt\n"),
        ("assert 1 == 2, 'so'", 1, "AssertionError: so\n"),
        ("x = bytearray(10**11)", 1, "MemoryError\n"),
        ("import os; os.fork()", 1, "Resource temporarily unavailable\n"),
    ],
)
def test_the_exit_status_and_the_traceback_are_pythons_own(peers: Peers, code, returned, said):
    answer = peers.run_code(code)
    run = run_of(answer, status="Success" if returned == 0 else "Failed")
    assert (run["status"], run["return_code"], run["stdout"]) == ("Finished", returned, "")
    assert run["stderr"].endswith(said) if said else run["stderr"] == ""
    assert "runner" not in run["stderr"]


@pytest.mark.parametrize(
    ("code", "number"),
    [
        ("import ctypes\nprint('a', flush=True)\nctypes.string_at(0)", 11),
        ("import os\nprint('a', flush=True)\nos.kill(os.getpid(), 9)", 31),
    ],
)
def test_death_by_a_signal_is_a_negative_return_code(peers: Peers, code, number):
    run = run_of(peers.run_code(code), status="Failed")
    assert (run["status"], run["return_code"], run["stdout"]) == ("Finished", -number, "a\n")


@pytest.mark.parametrize("code", ["import time; time.sleep(60)", "while True: pass"])
def test_a_script_past_its_limit_has_no_return_code(peers: Peers, code):
    run = run_of(
        peers.run_code(f"print('a', flush=True)\n{code}", run_timeout=0.4), status="Failed"
    )
    assert (run["status"], run["return_code"], run["stdout"]) == ("TimeLimitExceeded", None, "a\n")
    assert run["execution_time"] >= 0.4


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_of_a_flood_the_first_mebibyte_is_kept_and_the_script_goes_on(peers: Peers, stream):
    run = run_of(peers.run_code(FLOOD.format(stream)), status="Success")
    assert (run["status"], run["return_code"]) == ("Finished", 0)
    assert run[stream] == "x" * 2**20
    assert run["stdout"].endswith("end\n") == (stream == "stderr")


def test_files_are_there_and_fetched_files_come_back(peers: Peers):
    code = """
import helper, pathlib
data = pathlib.Path('data/in.bin').read_bytes()
pathlib.Path('data/out.bin').write_bytes(data[::-1])
left_open = open('open.txt', 'w')
left_open.write(helper.WORD)
"""
    files = {"helper.py": b"WORD = 'hi'", "data/in.bin": bytes(range(256)), "null.txt": None}
    encoded = {name: data and base64.b64encode(data).decode() for name, data in files.items()}
    wanted = ["data/out.bin", "./open.txt", "missing.txt", "data"]
    answer = peers.run_code(code, files=encoded, fetch_files=wanted)
    run_of(answer, status="Success")
    found = {name: base64.b64decode(data) for name, data in answer["files"].items()}
    assert found == {"data/out.bin": bytes(range(256))[::-1], "./open.txt": b"hi"}


def test_files_come_back_from_a_script_that_failed_too(peers: Peers):
    code = "open('a', 'w').write('x')\nwhile True: pass"
    answer = peers.run_code(code, run_timeout=0.3, fetch_files=["a"])
    assert answer["files"] == {"a": "eA=="}


def test_tinker_passes_its_tests_as_files(peers: Peers):
    code = "from solution import f\nassert f(2) == 4"
    assert peers.tinker(code, {"solution.py": b"def f(x): return x * 2"})
    assert not peers.tinker(code, {"solution.py": b"def f(x): return x"})


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"language": "cpp"}, "only python is supported"),
        ({"run_timeout": 100_000}, "run_timeout: 100000.0 is above"),
        ({"memory_limit_MB": 1_000_000}, "memory_limit_MB: 1000000 is above"),
        ({"files": {"../x": ""}}, "leads out"),
        ({"files": {"/etc/x": ""}}, "leads out"),
        ({"files": {"a/../../x": ""}}, "leads out"),
        ({"files": {"a": "", "a/b": ""}}, "is a file and a directory"),
        ({"files": {"a\0b": ""}}, "no text that a system call takes"),
        ({"files": {"a": "not base64!"}}, "not base64"),
        ({"fetch_files": ["/etc/passwd"]}, "fetch_files: '/etc/passwd' leads out"),
        ({"fetch_files": ["../../proc/1/environ"]}, "leads out"),
    ],
)
def test_what_is_not_acceptable_is_a_sandbox_error_that_says_why(peers: Peers, fields, said):
    answer = peers.run_code("print(1)", **fields)
    assert (answer["status"], answer["run_result"]) == ("SandboxError", None)
    assert said in answer["message"]


def test_fetched_files_that_are_too_large_are_said_and_not_cut(peers: Peers):
    code = "open('big', 'wb').write(bytes(9_000_000))\nopen('small', 'w').write('x')"
    answer = peers.run_code(code, fetch_files=["big", "small"])
    assert answer["status"] == "SandboxError"
    assert "'big'" in answer["message"]
    assert answer["run_result"]["return_code"] == 0


def test_a_malformed_request_is_a_422(peers: Peers):
    for body in ({}, {"code": 1}, {"code": "", "run_timeout": -1}, {"code": "", "files": [1]}):
        assert peers.http.post("/run_code", json=body).status_code == 422


def test_what_the_peer_does_not_know_it_ignores(peers: Peers):
    assert peers.run_code("print(1)", unheard_of=1)["status"] == "Success"


def test_ping_says_pong(peers: Peers):
    assert peers.http.get("/v1/ping").json() == "pong"


def test_too_much_work_is_504_which_verl_tries_again(overloaded: Peers):
    answer = overloaded.http.post("/run_code", json={"code": "print(1)"})
    assert answer.status_code == 504
    assert int(answer.headers["retry-after"]) >= 1
    with pytest.raises(VerlError, match="504"):
        overloaded.verl("print(1)")


def test_a_failure_of_ours_is_504_and_never_a_failed_script(broken: Peers):
    assert broken.http.post("/run_code", json={"code": "print(1)"}).status_code == 504
