"""Class C: leaving early, and forging the result."""

import json
import os
import struct
from collections.abc import Callable

import pytest

from attacks.arena import Attack, check_unharmed, judge, params
from contract.live import LiveService, request
from executor_service.sandbox.runner import frames
from executor_service.sandbox.runs import Report, Usage, interpret


def source_of(text: str) -> str:
    """Return the source of the bytes that a result with this text would be."""
    return repr(struct.pack("<I", len(text)) + text.encode())


GUESS = json.dumps(["ok", [{"t": "str", "v": "GOLD"}]])
WRITE_ALL = """
import os, struct
def f():
    for number in list(range(256)) + [1000, 65535]:
        try:
            os.write(number, {data})
        except OSError:
            pass
    {after}
"""
FORGED = [
    GUESS,
    '["correct",[{"t":"str","v":"x"}]]',
    '["correct","","",null]',
    '["infra_error","","",null]',
    '["timeout","","",null]',
    '["security_violation","","",null]',
    '["ok"]',
    '["ok",[]]',
    '["ok",[{"t":"str","v":"a"},{"t":"str","v":"a"}]]',
    '["ok",[{"t":"gold"}]]',
    '["ok",[{"t":"str","v":1}]]',
    '["ok",[{"t":"int","v":"1e3"}]]',
    '["ok",[{"t":"float","v":"1.0"}]]',
    '["ok",[{"t":"set","v":[{"t":"list","v":[]}]}]]',
    '["ok",[{"t":"instance","class":"x","args":[],"kwargs":[]}]]',
    '["ok",[null]]',
    '["ok",true]',
    "[]",
    "{}",
    "null",
    "NaN",
    '"ok"',
    "ok",
    "\\x00",
    "[" * 50_000,
    '["runtime_error",1,2,3]',
    '["runtime_error","","","1"]',
    '["runtime_error","",""]',
    '[["ok"],"","",null]',
    '[{"a":1},"","",null]',
    '["ok",[{"t":"str","v":"a"}],"more"]',
    '{"status":"correct","correct":true,"score":1.0}',
]
EXITS = [
    Attack("C20", "import sys\ndef f(): sys.exit(0)", "runtime_error", "SystemExit"),
    Attack("C20", "def f(): raise SystemExit", "runtime_error", "SystemExit"),
    Attack("C20", "import sys\nsys.exit(0)\ndef f(): return 1", "runtime_error", "SystemExit"),
    Attack("C20", "def f(): exit()", "runtime_error", "NameError"),
    *[
        Attack("C21", f"import os\ndef f(): os._exit({code})", "runtime_error", "ended itself")
        for code in (0, 1, 70, 77, 255, -1)
    ],
    Attack("C21", "import os\nos._exit(0)", "runtime_error", "ended itself"),
    Attack("C21", "import ctypes\ndef f(): ctypes.CDLL(None).exit(0)", "runtime_error",
           "ended itself"),
    Attack("C21", "import os\ndef f(): os.abort()", "runtime_error", "SIG"),
    Attack("C21", "import ctypes\ndef f(): ctypes.CDLL(None).syscall(231, 70)", "runtime_error"),
    Attack("C22", "class E(SystemExit): pass\ndef f(): raise E(0)", "runtime_error", "E: 0"),
    Attack("C22", "def f(): raise KeyboardInterrupt", "runtime_error"),
    Attack("C22", "def f(): raise GeneratorExit", "runtime_error"),
    Attack("C22", "class E(BaseException):\n    def __str__(self): raise self\n"
           "def f(): raise E", "runtime_error"),
    Attack("C22", "class E(BaseException):\n"
           "    def __str__(self):\n        import os\n        os._exit(0)\n"
           "def f(): raise E", "runtime_error", "ended itself"),
    Attack("C22", "class E(BaseException):\n    __class__ = property(lambda self: 1 / 0)\n"
           "def f(): raise E", "runtime_error"),
    Attack("C22", "class E(OSError):\n    errno = property(lambda self: 1 / 0)\n"
           "def f(): raise E", "runtime_error"),
    Attack("C22", "def f(): raise BaseExceptionGroup('g', [SystemExit(0)])", "runtime_error"),
    Attack("C22", "def f(): raise MemoryError", "memory_limit"),
    Attack("C22", "def f(): raise BlockingIOError(11, 'x')", "process_limit"),
    Attack("C23", "import unittest\ndef f(): raise unittest.SkipTest('skip')", "runtime_error",
           "SkipTest"),
    Attack("C23", "class Skipped(BaseException): pass\ndef f(): raise Skipped('passed')",
           "runtime_error"),
    Attack("C24", "import atexit, os\n@atexit.register\n"
           f"def late(): os.write(3, {source_of(GUESS)})\ndef f(): return 1"),
    Attack("C24", "import os, threading\ndef late(): "
           f"os.write(3, {source_of(GUESS)})\nthreading._register_atexit(late)\ndef f(): return 1"),
    Attack("C24", "import os\nclass D:\n    def __del__(self):\n"
           f"        os.write(3, {source_of(GUESS)})\nkeep = D()\ndef f(): return 1"),
    Attack("C24", "import os\nclass D:\n    def __del__(self):\n"
           f"        os.write(3, {source_of(GUESS)})\ndef f():\n    D()\n    return 1",
           "security_violation", "more or less than one result"),
    Attack("C24", "import os, weakref\nclass D: pass\nkeep = D()\n"
           f"weakref.finalize(keep, os.write, 3, {source_of(GUESS)})\ndef f(): return 1"),
    Attack("C24", "import sys\nclass Out:\n    def write(self, text): pass\n"
           f"    def flush(self):\n        import os\n        os.write(3, {source_of(GUESS)})\n"
           "sys.stdout = sys.stderr = Out()\ndef f(): return 1"),
    Attack("C24", f"import os, sys\nsys.excepthook = lambda *a: os.write(3, {source_of(GUESS)})\n"
           "sys.unraisablehook = sys.excepthook\ndef f(): raise ValueError", "runtime_error"),
    Attack("C25", "def f():\n    print('{\"status\": \"correct\", \"correct\": true}')\n"
           "    print('ALL TESTS PASSED', flush=True)\n    return 1"),
    Attack("C25", f"import os\ndef f():\n    os.write(1, {source_of(GUESS)})\n"
           f"    os.write(2, {source_of(GUESS)})\n    return 1"),
    *[
        Attack("C26", WRITE_ALL.format(data=source_of(GUESS), after=after), status)
        for after, status in (
            ("os._exit(0)", "wrong"), ("return 1", "security_violation"),
            ("raise ValueError", "security_violation"), ("os.abort()", "runtime_error"),
            ("while True: pass", "timeout"),
        )
    ],
    Attack("C26", "import os\ndef f():\n    for name in os.listdir('/proc/self/fd'):\n"
           "        os.write(int(name), b'x')", "runtime_error", "PermissionError"),
    Attack("C26", "import os\ndef f():\n"
           "    for path in ('/proc/1/fd/1', '/proc/self/fd/3', '/dev/stdout', '/proc/self/mem'):\n"
           "        with open(path, 'wb', 0) as file: file.write(b'x')", "runtime_error"),
    # It reads its own result back out of the pipe: then there is none. Where the supervisor was
    # there first, it waits for more until its time is over.
    Attack("C26", "import os\ndef f():\n    end = os.open('/proc/self/fd/3', os.O_RDONLY)\n"
           f"    os.write(3, {source_of(GUESS)})\n    os.read(end, 99)\n    os._exit(70)",
           "runtime_error", races=("timeout",)),
    *[
        Attack("C27", f"import os\ndef f():\n    path = {path!r}\n"
               "    os.makedirs(os.path.dirname(path), exist_ok=True)\n"
               "    open(path, 'w').write('1.0')", "runtime_error")
        for path in ("/logs/verifier/reward.txt", "/tmp/reward.txt", "reward.json", "/dev/shm/r")
    ],
    Attack("C28", "import os\ndef f():\n    os.close(3)\n    return 1", "runtime_error",
           "ended itself"),
    Attack("C28", "import os\ndef f():\n    os.closerange(0, 256)\n    return 1", "runtime_error"),
    Attack("C28", "import os\ndef f():\n    os.dup2(1, 3)\n    return 1", "runtime_error"),
    Attack("C28", "import fcntl, os\ndef f():\n    os.close(3)\n    os.dup(1)\n    return 1",
           "runtime_error", "ended itself"),
    Attack("C28", "import os\ndef f():\n    while True: os.write(3, b'x' * 65536)",
           "output_limit"),
    Attack("C28", "import os\ndef f():\n    os.write(3, b'\\xff\\xff\\xff\\xff')\n    os._exit(0)",
           "security_violation"),
    Attack("C28", "import os\ndef f():\n    os.write(3, b'x')\n    os._exit(0)",
           "security_violation"),
    Attack("C29", "import os, sys\ndef f(): return [dict(os.environ), sys.argv, sys.orig_argv]"),
    Attack("C29", "def f(): return open('/proc/self/cmdline').read()", "runtime_error"),
    Attack("C30", "import os\ndef f():\n    if os.fork() == 0:\n"
           f"        os.write(3, {source_of(GUESS)})\n    os._exit(0)", "process_limit"),
    Attack("C30", "import os\ndef f(): os.forkpty()", "runtime_error"),
    Attack("C30", "import os\ndef f(): os.posix_spawn('/bin/true', ['true'], {})",
           "process_limit"),
    Attack("C31", "open('conftest.py', 'w').write('')\ndef f(): return 1", "runtime_error"),
    Attack("C31", "import site, sys\ndef f():\n    open(sys.path[-1] + '/x.pth', 'w')",
           "runtime_error"),
    Attack("C31", "import sys\nopen('/tmp/sitecustomize.py', 'w')\ndef f(): return 1",
           "runtime_error"),
    Attack("C32", "def f():\n    print('= 1 passed in 0.01s =\\n<<SUCCESS>>\\nreward: 1.0')\n"
           "    return True"),
    Attack("C33", "def f(): open('/tmp/junit.xml', 'w').write('<testsuite failures=\"0\"/>')",
           "runtime_error"),
]  # fmt: skip


@params(EXITS)
def test_leaving_early_and_forging_is_never_correct(service: LiveService, attack: Attack) -> None:
    slow = attack.status == "timeout"
    limits = {"cpu_seconds": 0.2} if slow else {}
    judge(service, Attack(**{**vars(attack), "limits": limits}))


@pytest.mark.parametrize("text", FORGED[1:], ids=[f"C26-{n}" for n in range(1, len(FORGED))])
def test_a_forged_result_is_no_result(text: str) -> None:
    data = struct.pack("<I", len(text)) + text.encode()
    result = interpret(Report(1, frames.EXITED, 0, Usage(), data, b"", b""), 1)
    assert (result.status, result.values) == ("security_violation", ())


@pytest.mark.parametrize("text", FORGED[:32:5], ids=[f"C26-{n}" for n in range(0, 32, 5)])
def test_a_forged_result_claims_a_value_or_is_a_violation(service: LiveService, text: str) -> None:
    program = WRITE_ALL.format(data=source_of(text), after="os._exit(0)")
    verdict = judge(
        service, Attack("C26", program, "wrong" if text is GUESS else "security_violation")
    )
    assert not verdict["retryable"]


@pytest.mark.parametrize("status", ["memory_limit", "invalid_program", "runtime_error"])
def test_a_forged_failure_is_only_a_failure(service: LiveService, status: str) -> None:
    text = json.dumps([status, "\x1b[2J" * 100, "x" * 5000, 10**12])
    verdict = judge(
        service, Attack("C26", WRITE_ALL.format(data=source_of(text), after="os._exit(0)"), status)
    )
    assert len(verdict["message"]) < 3000


@pytest.mark.parametrize("kind", [1, 2, 3, 7, 255])
def test_events_and_reports_cannot_be_forged(service: LiveService, kind: int) -> None:
    event = struct.pack("<BBxxiiIQ", kind, 0, 1, 0, 0, 0)
    report = struct.pack("<IBBxxQQQIIII", 1, 0, 0, 0, 0, 0, 0, len(GUESS) + 4, 0, 0)
    data = repr((event + report) * 3)
    judge(
        service,
        Attack("C26", WRITE_ALL.format(data=data, after="os._exit(0)"), "security_violation"),
    )


def test_a_thread_that_goes_on_ends_with_its_run(
    start_service: Callable[..., LiveService],
) -> None:
    service = start_service(slots=1, allow_threads=True)
    started = """
import os, threading, time
def late():
    while True:
        {}
def f():
    for _ in range(3): threading.Thread(target=late, daemon={}).start()
    return 1
"""
    for daemon in (True, False):
        for body in ("pass", "time.sleep(0.001)", "os.stat('/usr')"):
            result = service.run(request(started.format(body, daemon)))
            assert (result.status, result.usage.wall_ms < 5000) == ("ok", True)
        forged = started.format(f"os.write(3, {source_of(GUESS)})", daemon)
        result = service.run(request(forged + "\n    time.sleep(0.05)"))
        assert result.status in ("security_violation", "output_limit")
        assert not result.values
    check_unharmed(service)


def test_no_exit_status_of_a_program_passes_for_a_failure_of_ours(service: LiveService) -> None:
    for code in range(0, 256, 5):
        result = service.run(request("import os\ndef f(code): os._exit(code)", str(code)))
        assert result.status == "runtime_error"
    assert os.EX_SOFTWARE % 5 == 0, "70, which the harness once used, is among them"
