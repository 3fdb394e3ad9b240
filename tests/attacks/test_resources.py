"""Class I: taking more than a run's share. Each attack meets its limit and ends with its run."""

import asyncio
import time

import pytest

from attacks.arena import Attack, judge, params
from contract.live import LiveService, request

SHORT = {"cpu_seconds": 0.3, "wall_seconds": 5.0, "memory_mb": 64}
ATTACKS = [
    Attack("I70", "import os\ndef f():\n    while True: os.fork()", "process_limit"),
    Attack("I70", "import os\ndef f():\n    while True:\n        try: os.fork()\n"
           "        except OSError: pass", "timeout"),
    Attack("I70", "import ctypes\nlibc = ctypes.CDLL(None)\ndef f():\n"
           "    while True: libc.fork()", "timeout"),
    Attack("I70", "import threading\ndef f():\n    while True:\n"
           "        threading.Thread(target=f).start()", "process_limit"),
    Attack("I71", "def f():\n    x = []\n    while True: x.append(bytearray(1 << 20))",
           "memory_limit"),
    Attack("I71", "def f():\n    x = []\n    while True:\n"
           "        try: x.append(bytearray(1 << 20))\n"
           "        except MemoryError: pass", "timeout"),
    Attack("I71", "def f():\n    x = [0]\n    while True: x += x", "memory_limit"),
    Attack("I71", "from mmap import mmap\n"
           "def f(): return [mmap(-1, 1 << 28, flags=34) for _ in range(99)]",
           "memory_limit"),
    Attack("I71", "import mmap\ndef f(): return mmap.mmap(-1, 1 << 20)", "runtime_error",
           "PermissionError"),
    Attack("I71", "import os\ndef f(): return os.memfd_create('x')", "runtime_error"),
    Attack("I71", "import os\ndef f(): return [os.pipe() for _ in range(10**4)]", "process_limit"),
    Attack("I71", "import tempfile\ndef f(): return tempfile.TemporaryFile()", "runtime_error"),
    Attack("I71", "def f(): return open('/dev/shm/x', 'wb')", "runtime_error"),
    Attack("I71", "import ctypes\nlibc = ctypes.CDLL(None)\nlibc.malloc.restype = ctypes.c_void_p\n"
           "def f():\n    while p := libc.malloc(1 << 20):\n"
           "        ctypes.memset(p, 1, 1 << 20)\n    return 1"),
    Attack("I72", "def f():\n    while True: print('x' * 10**4)", "output_limit"),
    Attack("I72", "import os\ndef f():\n    while True: os.write(1, b'x' * 65536)",
           "output_limit"),
    Attack("I72", "import os\ndef f():\n    while True: os.write(2, b'x' * 65536)", "timeout"),
    Attack("I72", "import os\ndef f():\n    while True: os.write(3, b'x' * 65536)",
           "output_limit"),
    Attack("I72", "import os\ndef f():\n    while True: os.write(0, b'x' * 65536)", "timeout"),
    Attack("I72", "import warnings\ndef f():\n    warnings.simplefilter('always')\n"
           "    while True: warnings.warn('x' * 1000)", "timeout"),
    Attack("I73", "def f(): return [open('/dev/null') for _ in range(10**6)]", "runtime_error",
           "Too many open files"),
    Attack("I73", "import os\ndef f(): return [os.dup(1) for _ in range(10**6)]", "runtime_error",
           "Too many open files"),
    Attack("I73", "import os\ndef f():\n    for _ in range(1000):\n        os.mkdir('d')\n"
           "        os.chdir('d')", "runtime_error"),
    Attack("I74", "def f(): return int('9' * 10**6)", "runtime_error", "ValueError"),
    Attack("I74", "import sys\ndef f():\n    sys.set_int_max_str_digits(0)\n"
           "    return int('9' * 10**7)", "timeout"),
    Attack("I74", "def f(): return 10**10**9", "timeout"),
    Attack("I74", "def f(): return 9**9**9 % 7", "timeout"),
    Attack("I74", "def f(): return str(10**4000 * 10**4000)", "runtime_error", "ValueError"),
    Attack("I74", "import re\ndef f(): return re.match('(a+)+$', 'a' * 60 + 'b')", "timeout"),
    Attack("I74", "import json\ndef f(): return json.loads('[' * 10**6)", "runtime_error",
           "RecursionError"),
    Attack("I74", "import zlib\nbomb = zlib.compress(bytes(10**6))\n"
           "def f():\n    x = b''\n    while True: x += zlib.decompress(bomb)", "memory_limit",
           limits={"cpu_seconds": 5.0}),
    Attack("I74", "def f(): return sum(1 for _ in iter(int, 1))", "timeout"),
    Attack("I74", "def f(): return 'a' in ('b' * 10**6 for _ in iter(int, 1))", "timeout"),
    Attack("I75", "import signal\ndef f():\n    for n in (1, 2, 14, 15, 24):\n"
           "        signal.signal(n, lambda *a: None)\n    while True: pass", "timeout"),
    Attack("I75", "def f():\n    while True:\n        try:\n            while True: pass\n"
           "        except BaseException: pass", "timeout"),
    Attack("I75", "import signal\nsignal.pthread_sigmask(0, range(1, 65))\n"
           "def f(): return sum(range(10**12))", "timeout"),
    Attack("I75", "import ctypes\nclass L(ctypes.Structure): pass\n"
           "def f(): return ctypes.CDLL(None).qsort(b'x' * 10**8, 10**8, 1, "
           "ctypes.CFUNCTYPE(ctypes.c_int)(lambda: 1))", "memory_limit"),
    Attack("I78", "import os\ndef f(): os.nice(-20)", "runtime_error"),
    Attack("I78", "import os\ndef f(): os.sched_setscheduler(0, os.SCHED_FIFO, "
           "os.sched_param(1))", "runtime_error"),
    Attack("I78", "import os\ndef f(): os.sched_setaffinity(0, {0})", "runtime_error"),
    Attack("I78", "import resource as r\ndef f(): r.setrlimit(r.RLIMIT_CPU, (99, 99))",
           "runtime_error"),
    Attack("I78", "import resource as r\n"
           "def f(): r.setrlimit(r.RLIMIT_AS, r.getrlimit(r.RLIMIT_AS))",
           "runtime_error"),
    Attack("I79", "def f(): return 1\0", "invalid_program"),
    Attack("I79", "\ud800", "invalid_program"),
    Attack("I79", "\ufeffdef f(): return 1", "invalid_program"),
    Attack("I79", "# -*- coding: nosuch -*-\ndef f(): return 1"),
    Attack("I79", "def f(): return " + "[" * 10**5, "invalid_program"),
    Attack("I79", "x = " + "-" * 10**5 + "1\ndef f(): return 1", "invalid_program"),
    Attack("I79", "x = " + "+".join(["1"] * 60_000) + "\ndef f(): return 1", "invalid_program"),
    Attack("I79", "def f(): return " + "(lambda: " * 150 + "1" + ")" * 150, "unsupported_value"),
    Attack("I79", "x = 9**9**9\ndef f(): return 1", "timeout"),
    Attack("I79", "x = 'a' * 10**10\ndef f(): return 1", "memory_limit"),
]  # fmt: skip


@params(ATTACKS)
def test_a_greedy_program_meets_its_limit(service: LiveService, attack: Attack) -> None:
    started = time.monotonic()
    judge(service, Attack(**{**vars(attack), "limits": SHORT | attack.limits}))
    assert time.monotonic() - started < 10


def test_sleepers_do_not_keep_others_waiting_for_longer_than_their_limit(
    service: LiveService,
) -> None:
    async def crowd() -> list[str]:
        sleeper = request("import time\ndef f(): time.sleep(60)", wall_seconds=0.2)
        worker = request("def f(): return 1")
        runs = [service.pool.run(run) for run in [sleeper] * 6 + [worker] * 6]
        return [result.status for result in await asyncio.gather(*runs)]

    assert service.wait(crowd()) == ["timeout"] * 6 + ["ok"] * 6


@pytest.mark.parametrize("load", [1, 16])
def test_load_changes_no_verdict(service: LiveService, load: int) -> None:
    programs = {
        "ok": "def f():\n    n = 0\n    for i in range(200_000): n += i\n    return n",
        "timeout": "def f():\n    while True: pass",
        "runtime_error": "def f(): return 1 / 0",
    }

    async def all_at_once() -> list[tuple[str, str]]:
        wanted = [status for status in programs for _ in range(load)]
        runs = [
            service.pool.run(request(programs[status], cpu_seconds=0.15, wall_seconds=1.0))
            for status in wanted
        ]
        results = await asyncio.gather(*runs)
        return list(zip(wanted, [result.status for result in results], strict=True))

    assert all(wanted == got for wanted, got in service.wait(all_at_once()))


def test_a_run_cannot_make_the_next_one_pay(service: LiveService) -> None:
    light = request("def f(): return 1")
    (before,) = service.sequence(light)
    heavy = request("def f():\n    x = bytearray(10**8)\n    return sum(range(10**6))")
    results = service.sequence(heavy, heavy, light, light)
    assert [result.status for result in results] == ["ok"] * 4
    for result in results[2:]:
        assert result.usage.max_rss_kb < before.usage.max_rss_kb + 2048
        assert result.usage.cpu_ms < before.usage.cpu_ms + 30
