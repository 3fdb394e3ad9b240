"""Class K: one run trying to speak to, to hinder or to survive into another."""

import pytest

from contract.live import LiveService, request
from executor_service.typed.render import render

LOOK = """
import os, sys
def f():
    found = []
    for folder in ('/tmp', '/dev/shm', '/dev/mqueue', '/var/tmp', '/run', '/', '.'):
        try:
            found += [name for name in os.listdir(folder) if 'secret' in name]
        except OSError:
            pass
    found += [name for name in os.environ if 'SECRET' in name]
    found += [name for name in sys.modules if 'secret' in name]
    end = os.open('/proc/self/fd/1', os.O_RDONLY | os.O_NONBLOCK)
    try:
        found.append(os.read(end, 100))
    except OSError:
        pass
    return found
"""
# Each tries to leave something; none of what it does may be seen by the next run.
LEAVERS = {
    "file": "open('/tmp/secret', 'w').write('x')",
    "shm": "open('/dev/shm/secret', 'w').write('x')",
    "folder": "os.mkdir('/tmp/secret')",
    "fifo": "os.mkfifo('/tmp/secret')",
    "environ": "os.environ['SECRET'] = 'x'",
    "module": "sys.modules['secret'] = os",
    "rename": "os.rename('/tmp', '/secret')",
    "lock": "__import__('fcntl').flock(0, 2)",
    "lease": "__import__('fcntl').fcntl(0, 1024, 0)",
    "record lock": "__import__('fcntl').lockf(os.open('/usr/lib/os-release', 0), 2)",
    "nonblocking": "os.set_blocking(3, False)",
    "pipe size": "__import__('fcntl').fcntl(1, 1031, 4096)",
    "unread stdout": "os.write(1, b'secret')",
    "own pipe": "os.write(2, b'secret' * 10000)",
    "shutdown": "os.close(0), os.close(1), os.close(2)",
    "umask": "os.umask(0o777)",
    "mmap": "__import__('mmap').mmap(0, 4096)",
    "time zone": "os.environ.__setitem__('TZ', 'secret'), __import__('time').tzset()",
}


@pytest.mark.parametrize("leaver", LEAVERS.values(), ids=[f"K90-{name}" for name in LEAVERS])
def test_nothing_left_by_a_run_is_found_by_the_next(service: LiveService, leaver: str) -> None:
    source = (
        f"import os, sys\ndef f():\n    try:\n        {leaver}\n    except OSError:\n        pass"
    )
    results = service.sequence(*[request(source)] * 2, *[request(LOOK)] * 2)
    assert [result.status for result in results] == ["ok"] * 4
    for result in results[2:]:
        assert (render(result.values[0]), result.stdout, result.stderr) == ("[]", "", "")


FLOODS = {
    "result": ("import os\ndef f():\n    while True: os.write(3, b'secret' * 10000)", {}),
    "stdout": ("import os\ndef f():\n    while True: os.write(1, b'secret' * 10000)", {}),
    "stderr": ("import os\ndef f():\n    while True: os.write(2, b'secret' * 10000)", {}),
    "small": ("def f(): print('secret' * 10000)", {"stdout_bytes": 10}),
    "value": ("def f(): return 'secret' * 10000", {"output_bytes": 10}),
    "sleeper": (
        "import os, time\ndef f():\n    os.write(2, b'secret' * 5000)\n    time.sleep(60)",
        {"wall_seconds": 0.1},
    ),
}


@pytest.mark.parametrize("flood", FLOODS, ids=[f"K90-{name}" for name in FLOODS])
def test_what_a_flood_leaves_in_a_pipe_is_not_the_next_runs_output(
    service: LiveService, flood: str
) -> None:
    source, limits = FLOODS[flood]
    for _ in range(2 * service.pool.slots):
        service.run(request(source, **{"cpu_seconds": 0.05, "wall_seconds": 1.0} | limits))
    for _ in range(4 * service.pool.slots):
        result = service.run(request("def f(): return 1"))
        assert (result.status, result.stdout, result.stderr) == ("ok", "", "")


def test_what_is_left_to_a_later_run_in_the_same_sandbox_is_nothing_at_all(
    service: LiveService,
) -> None:
    # Sixteen pairs in the same sandbox: a sender of one bit, and a receiver that tries to tell.
    send = """
import ctypes, gc, os, sys
def f(bit):
    if bit:
        sys.setrecursionlimit(5000)
        gc.disable()
        len(bytearray(1 << 25))
        os.environ['BIT'] = '1'
        os.write(2, b'1')
    return None
"""
    receive = """
import gc, os, sys
def f():
    return [sys.getrecursionlimit(), gc.isenabled(), os.environ.get('BIT'), gc.get_count(),
            os.getcwd(), sorted(os.environ), len(sys.modules), os.times().children_user]
"""
    bits = [0, 1, 1, 0, 1, 0, 0, 1] * 2
    requests = []
    for bit in bits:
        requests += [request(send, str(bit)), request(receive)]
    results = service.sequence(*requests)
    assert [result.status for result in results] == ["ok"] * len(requests)
    assert len({render(result.values[0]) for result in results[1::2]}) == 1


def test_pids_do_not_repeat_within_a_sandbox(service: LiveService) -> None:
    results = service.sequence(*[request("import os\ndef f(): return os.getpid()")] * 20)
    assert len({render(result.values[0]) for result in results}) == 20
