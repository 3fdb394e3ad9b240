"""Scripts through the queue: Redis, an API process, and a worker with the sandboxes."""

import base64

import pytest

from chaos.stack import running_stack
from dropin.clients import Peers, packed

pytestmark = pytest.mark.redis


def test_every_peer_is_served_by_a_worker_behind_the_queue(tmp_path):
    with running_stack(tmp_path) as stack:
        peers = Peers(stack.http)
        code = "import sys\nsys.stdout.write('x' * 10_485_760)\nopen('o', 'w').write(input())"
        answer = peers.run_code(code, stdin="\N{GRINNING FACE}\n", fetch_files=["o"])
        assert answer["run_result"]["stdout"] == "x" * 2**20
        assert base64.b64decode(answer["files"]["o"]).decode() == "\N{GRINNING FACE}"
        assert peers.run_code("exit(3)")["run_result"]["return_code"] == 3
        assert peers.run_code("1", fetch_files=["/x"])["status"] == "SandboxError"
        assert peers.piston("exit(3)").json()["run"]["code"] == 3
        cases = {"type": "stdin_stdout", "input": ["1"] * 40, "output": ["1"] * 39 + ["2"]}
        tests = peers.scale_box("print(input())", cases).json()["tests"]
        assert [test["passed"] for test in tests] == [True] * 39 + [False]
        asserts = packed(["assert f(1) == 1", "assert f(1) == 2"])
        program = "def f(x): return x"
        assert peers.open_instruct("/test_program", program, asserts)["results"] == [1, 0]
        label = {"mode": "stdio", "cases": [{"input": "2", "output": "2"}]}
        assert peers.slime("", "print(input())", label) == 1.0
        (runtime,) = peers.http.get("/api/v2/runtimes").json()
        assert runtime["version"].startswith("3.")
        stack.until(lambda: _scripts_counted(peers) > 40, "the worker's scripts to be counted")


def _scripts_counted(peers: Peers) -> float:
    lines = peers.http.get("/metrics").text.splitlines()
    return sum(
        float(line.split()[-1])
        for line in lines
        if line.startswith("azr_executor_operations_total{") and 'op="script",status="ok"' in line
    )
