"""Every run status is reached, exactly, on every backend."""

import time

import pytest

from contract.live import LiveService, request

SPIN = "def f():\n    while True:\n        pass"
SLEEP = "import time\ndef f():\n    time.sleep(60)"
STUBBORN = """
import signal
def f():
    for number in (signal.SIGTERM, signal.SIGALRM, signal.SIGXCPU, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
    while True:
        try:
            while True:
                pass
        except BaseException:
            continue
"""
NESTED = (
    "def f(levels):\n    x = []\n    for _ in range(levels - 1):\n        x = [x]\n    return x"
)


@pytest.mark.parametrize(
    ("source", "kind", "message", "line"),
    [
        ("def f():\n    return 1 / 0", "ZeroDivisionError", "division by zero", 2),
        ("def g():\n    return [][3]\ndef f():\n    x = 1\n    return g()", "IndexError", "", 2),
        ("import nosuchmodule\ndef f(): return 1", "ModuleNotFoundError", "nosuchmodule", 1),
        ("class Odd(Exception): pass\ndef f():\n    raise Odd('so', 1)", "Odd", "('so', 1)", 3),
        ("def f(x): return x", "TypeError", "missing 1 required positional argument", None),
        ("def f(): return f()", "RecursionError", "maximum recursion depth", 1),
        ("import sys\ndef f(): sys.exit(3)", "SystemExit", "3", 2),
        ("def f(): raise KeyboardInterrupt", "KeyboardInterrupt", "", 1),
        ("import os\ndef f(): os._exit(0)", "Exit", "exit status 0", None),
        ("import os\ndef f(): os._exit(70)", "Exit", "exit status 70", None),
        ("import ctypes\ndef f(): ctypes.string_at(0)", "SIGSEGV", "SIGSEGV", None),
        ("def f():\n    return '\\udc80'.encode()", "UnicodeEncodeError", "surrogates", 2),
    ],
)
def test_a_failing_program_is_a_runtime_error(
    service: LiveService, source: str, kind: str, message: str, line: int | None
) -> None:
    result = service.run(request(source))
    assert (result.status, result.values) == ("runtime_error", ())
    assert result.error is not None
    assert (result.error.type, result.error.line) == (kind, line)
    assert message in result.error.message


def test_an_argument_expression_that_fails_is_a_runtime_error(service: LiveService) -> None:
    result = service.run(request("def f(x): return x", "1 // 0"))
    assert result.status == "runtime_error"
    assert result.error is not None
    assert result.error.type == "ZeroDivisionError"


@pytest.mark.parametrize("source", [SPIN, STUBBORN, "def f(): return sum(range(10**12))"])
def test_a_busy_program_times_out_by_cpu_time(service: LiveService, source: str) -> None:
    result = service.run(request(source, cpu_seconds=0.2, wall_seconds=30.0))
    assert (result.status, result.error and result.error.message) == (
        "timeout",
        "over its CPU time limit",
    )
    assert 190 <= result.usage.cpu_ms < 1500


@pytest.mark.parametrize(
    "source",
    [
        SLEEP,
        "import select\ndef f(): select.select([], [], [], 60)",
        "f = __import__('threading').Lock().__enter__\nf()",
    ],
)
def test_a_sleeping_program_times_out_by_wall_time(service: LiveService, source: str) -> None:
    started = time.monotonic()
    result = service.run(request(source, cpu_seconds=5.0, wall_seconds=0.2))
    assert (result.status, result.error and result.error.message) == (
        "timeout",
        "over its wall time limit",
    )
    assert result.usage.cpu_ms < 190
    assert time.monotonic() - started < 5


@pytest.mark.parametrize(
    "source",
    [
        "def f(): return len(bytearray(10**9))",
        "def f(): return 'x' * 10**9",
        "def f():\n    x = []\n    while True:\n        x.append('y' * 10**6)",
        "from mmap import mmap\ndef f(): return [mmap(-1, 1 << 20, flags=34) for _ in range(999)]",
        "def f(): return 1 << (1 << 40)",
    ],
)
def test_a_greedy_program_meets_the_memory_limit(service: LiveService, source: str) -> None:
    result = service.run(request(source, memory_mb=64))
    assert result.status == "memory_limit"


def test_memory_below_the_limit_is_granted(service: LiveService) -> None:
    result = service.run(request("def f(): return len(bytearray(48 << 20))", memory_mb=64))
    assert (result.status, result.values[0]["v"]) == ("ok", str(48 << 20))
    assert result.usage.max_rss_kb > 48 << 10


@pytest.mark.parametrize("size", [2_000, 200_000, 1_000_000])
@pytest.mark.parametrize(
    "kind", ["'x' * n", "list(range(n))", "b'x' * n", "{i: i for i in range(n)}"]
)
def test_a_value_over_output_bytes_is_an_output_limit(
    service: LiveService, kind: str, size: int
) -> None:
    result = service.run(request(f"def f(n): return {kind}", str(size), output_bytes=1000))
    assert result.status == "output_limit"
    assert result.error is not None
    assert "output_bytes" in result.error.message


@pytest.mark.parametrize("size", [101, 5_000, 1_000_000])
def test_stdout_over_stdout_bytes_is_an_output_limit(service: LiveService, size: int) -> None:
    source = f"def f():\n    print('x' * {size})\n    return 1"
    result = service.run(request(source, stdout_bytes=100))
    assert (result.status, result.stdout) == ("output_limit", "x" * 100)
    assert result.error is not None
    assert "stdout_bytes" in result.error.message


def test_stdout_of_exactly_stdout_bytes_is_fine(service: LiveService) -> None:
    result = service.run(request("def f(): print('x' * 99)", stdout_bytes=100))
    assert (result.status, result.stdout) == ("ok", "x" * 99 + "\n")


def test_a_flood_of_stderr_is_cut_and_stops_nothing(service: LiveService) -> None:
    source = "import sys\ndef f():\n    sys.stderr.write('x' * 500_000)\n    return 1"
    result = service.run(request(source, stdout_bytes=100))
    assert (result.status, result.stderr) == ("ok", "x" * 100)


@pytest.mark.parametrize(
    "source",
    [
        "import os\ndef f(): return os.fork()",
        "import threading\ndef f(): threading.Thread(target=print).start()",
        "import subprocess\ndef f(): return subprocess.run(['true']).returncode",
        "import multiprocessing\ndef f(): multiprocessing.Process(target=print).start()",
        "import os\ndef f(): return os.popen('id').read()",
        "from concurrent.futures import ThreadPoolExecutor as T\n"
        "def f(): return list(T(2).map(abs, [1]))",
    ],
)
def test_a_second_process_or_thread_meets_the_process_limit(
    service: LiveService, source: str
) -> None:
    assert service.run(request(source)).status == "process_limit"


@pytest.mark.parametrize(
    "source",
    [
        "import socket\ndef f(): socket.socket()",
        "import os\ndef f(): os.kill(1, 9)",
        "import os\ndef f(): os.execv('/bin/true', ['true'])",
        "import os\ndef f(): os.write(3, b'early')",
    ],
)
def test_an_attack_is_a_security_violation(service: LiveService, source: str) -> None:
    assert service.run(request(source)).status == "security_violation"


@pytest.mark.parametrize(
    "source",
    [
        "def f():\n    x = []\n    x.append(x)\n    return x",
        "def f():\n    x = {}\n    x['x'] = [x]\n    return x",
        "class N(int): pass\ndef f(): return N(1)",
        "class S(str): pass\ndef f(): return [S('a')]",
        "class D(dict): pass\ndef f(): return D()",
        "class L(list): pass\ndef f(): return {'k': L()}",
        "def f(): return object()",
        "def f(): return f",
        "def f(): return (x for x in 'ab')",
        "def f(): return [1].__iter__()",
        "def f(): return int",
        "import re\ndef f(): return re",
        "def f(): return {}.keys()",
        "def f(): return memoryview(b'')",
    ],
)
def test_a_value_without_typed_form_is_unsupported(service: LiveService, source: str) -> None:
    assert service.run(request(source)).status == "unsupported_value"


def test_a_hundred_levels_are_a_value_and_one_more_is_not(service: LiveService) -> None:
    assert service.run(request(NESTED, "100")).status == "ok"
    assert service.run(request(NESTED, "101")).status == "unsupported_value"


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("def f(:\n  return 1", "line 1"),
        ("x = 1\ndef f(): return (", "line 2"),
        ("def f(): return 1\0", "null bytes"),
        ("def f(): return '\ud800'", "surrogates"),
        ("def g(): return 1", "no callable named 'f'"),
        ("f = 3", "no callable named 'f'"),
        ("", "no callable named 'f'"),
        ("def f():\n\treturn 1\n        return 2", "line 3"),
        ("def f(): return " + "(" * 5000 + ")" * 5000, ""),
        ("def f(): return " + "-" * 100_000 + "1", ""),
        ("def f(): return 1\nreturn 2", "line 2"),
    ],
)
def test_a_program_that_is_none_is_invalid(service: LiveService, source: str, message: str) -> None:
    result = service.run(request(source))
    assert result.status == "invalid_program"
    assert result.error is not None
    assert message in result.error.message


@pytest.mark.parametrize(
    "arguments",
    ["1) or (True", "1)", "(", "1; 2", "x = ", "1\0", "'\ud800'", "*", "a b", "1)(2", "1)\n(2",
     "(" * 300, "1) if True else f(2"],
)  # fmt: skip
def test_arguments_that_are_no_argument_list_are_invalid_input(
    service: LiveService, arguments: str
) -> None:
    assert service.run(request("def f(*args): return args", arguments)).status == "invalid_input"


def test_typed_arguments_of_an_unknown_class_are_invalid_input(service: LiveService) -> None:
    argument = {"t": "instance", "class": "Point", "args": [], "kwargs": []}
    sent = request("def f(p): return p", expression=None, args=(argument,))
    assert service.run(sent).status == "invalid_input"
