"""What a program finds around itself, and what of it reaches the next run: nothing."""

import ast
from collections.abc import Callable
from typing import Any

import pytest

from contract.live import LiveService, request
from executor_service.sandbox.backend import common_protections
from executor_service.sandbox.runner.variants import OTHER, REPEAT, USUAL
from executor_service.sandbox.runs import RunResult
from executor_service.typed.render import render

VARIANTS = (USUAL, OTHER, REPEAT)

# Leaves a trace in everything a process can write to, then says what it could not do.
LEAVE = """
import builtins, decimal, gc, json, locale, os, random, resource, signal, sys, time, warnings
def attempt(action, *args):
    try:
        action(*args)
    except Exception as error:
        refused.append(type(error).__name__)
refused = []
def f():
    json.poison = builtins.poison = sys.poison = 1
    json.dumps = len
    sys.modules['poison'] = json
    sys.path.insert(0, '/tmp/poison')
    sys.meta_path.clear()
    os.environ['POISON'] = '1'
    os.environ['TZ'] = 'Asia/Tokyo'
    time.tzset()
    sys.setrecursionlimit(77)
    sys.setswitchinterval(1)
    sys.set_int_max_str_digits(700)
    decimal.getcontext().prec = 3
    random.seed(1)
    gc.disable()
    warnings.simplefilter('error')
    for number in range(1, 32):
        attempt(signal.signal, number, signal.SIG_IGN)
    attempt(signal.pthread_sigmask, signal.SIG_BLOCK, range(1, 32))
    attempt(os.umask, 0o777)
    attempt(os.chdir, '/usr')
    attempt(resource.setrlimit, resource.RLIMIT_CPU, (1, 1))
    attempt(resource.setrlimit, resource.RLIMIT_AS, (1 << 20, 1 << 20))
    attempt(os.nice, 19)
    attempt(os.sched_setaffinity, 0, {0})
    sys.stdout.write('poison that nobody flushes')
    sys.stderr.write('poison')
    sys.stdout = sys.stderr = None
    return refused
"""
STATE = """
import builtins, decimal, gc, json, locale, os, random, resource, signal, sys, time, warnings
def f():
    seen = {name: repr(vars(module).get('poison')) for name, module in sorted(sys.modules.items())}
    return {
        'poisoned': [name for name, value in seen.items() if value != 'None'],
        'modules': sorted(sys.modules),
        'json': json.dumps([1]),
        'path': list(sys.path),
        'meta_path': len(sys.meta_path),
        'environ': dict(os.environ),
        'zone': time.strftime('%Z', time.localtime(0)),
        'recursion': sys.getrecursionlimit(),
        'switch': sys.getswitchinterval(),
        'digits': sys.get_int_max_str_digits(),
        'precision': decimal.getcontext().prec,
        'random': random.random() == random.Random(1).random(),
        'gc': gc.isenabled(),
        'warnings': len(warnings.filters),
        'handlers': [str(signal.getsignal(number)) for number in range(1, 32)],
        'mask': sorted(map(int, signal.pthread_sigmask(signal.SIG_BLOCK, []))),
        'cwd': os.getcwd(),
        'limits': [resource.getrlimit(number) for number in range(16)],
        'affinity': sorted(os.sched_getaffinity(0)),
        'streams': (sys.stdout is sys.__stdout__, sys.stderr is sys.__stderr__),
        'uid': (os.getuid(), os.geteuid(), os.getgid(), os.getegid()),
    }
"""


@pytest.mark.parametrize("variant", VARIANTS)
def test_nothing_of_a_run_reaches_the_next_one(service: LiveService, variant: int) -> None:
    # Two lanes take turns: the traces are left in both, and both are looked at. All in one
    # sandbox, which is what a sequence is: the next run of another one could see nothing anyway.
    looks = [request(STATE, variant=variant)] * 2
    results = service.sequence(*looks, *[request(LEAVE, variant=variant)] * 2, *looks)
    assert [result.status for result in results] == ["ok"] * 6
    expected = _seen(results[0])
    for result in [results[1], *results[4:]]:
        found = _seen(result)
        # Only what differs, by name: a whole state fills a screen and hides it.
        assert {
            name: (value, found[name]) for name, value in expected.items() if found[name] != value
        } == {}
        assert (result.stdout, result.stderr) == ("", "")


def _seen(result: RunResult) -> dict[str, Any]:
    """Return the state that a run of ``STATE`` reported."""
    seen = ast.literal_eval(render(result.values[0]))
    assert isinstance(seen, dict)
    return seen


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_environment_holds_nothing_of_ours(service: LiveService, variant: int) -> None:
    source = """
import ctypes, os
def f():
    getenv = ctypes.CDLL(None).getenv
    getenv.restype = ctypes.c_char_p
    names = ('LD_PRELOAD', 'PYTHONHASHSEED', 'PYTHONPATH', 'MALLOC_ARENA_MAX', 'OMP_NUM_THREADS')
    return sorted(os.environ), [getenv(name.encode()) for name in names]
"""
    names, hidden = ast.literal_eval(
        render(service.run(request(source, variant=variant)).values[0])
    )
    assert set(hidden) == {None}
    assert {"HOME", "PATH", "TZ", "USER"} <= set(names)
    assert not [
        name for name in names if name.startswith(("PYTHON", "LD_", "FAKETIME", "MALLOC", "AZR"))
    ]


def test_a_program_has_four_descriptors_and_can_write_to_three(service: LiveService) -> None:
    source = """
import os, stat
def f():
    found = []
    for number in range(1024):
        try:
            found.append((number, stat.S_ISFIFO(os.fstat(number).st_mode)))
        except OSError:
            pass
    return found
"""
    for variant in VARIANTS:
        for result in service.sequence(*[request(source, variant=variant)] * 3):
            assert render(result.values[0]) == "[(0, False), (1, True), (2, True), (3, True)]"


def test_no_file_can_be_made_or_changed_anywhere(service: LiveService) -> None:
    source = """
import os
def f():
    made = []
    for folder in ('/', '/tmp', '/dev', '/dev/shm', '/var/tmp', '/run', '/proc/self', '/usr/lib',
                   '/opt'):
        for action in (
            lambda: open(folder + '/x', 'w').close(),
            lambda: os.mkdir(folder + '/x'),
            lambda: os.symlink('/etc/passwd', folder + '/x'),
            lambda: os.mkfifo(folder + '/x'),
            lambda: os.close(os.open(folder, os.O_TMPFILE | os.O_RDWR)),
            lambda: os.utime(folder),
            lambda: os.chmod(folder, 0o777),
        ):
            try:
                action()
                made.append(folder)
            except OSError:
                pass
    return made
"""
    assert render(service.run(request(source)).values[0]) == "[]"


def test_the_program_sees_neither_the_host_nor_its_own_sandbox(service: LiveService) -> None:
    source = """
import os
def f():
    seen = []
    for path in ('/etc/passwd', '/etc/hostname', '/root', '/home', '/proc/1/environ',
                 '/proc/self/maps', '/proc/cpuinfo', '/proc/self/environ', '/.dockerenv',
                 '/opt/azr-runner/runner/child.py', '/sys', '/dev', '/var'):
        try:
            open(path).read() if not os.path.isdir(path) else os.listdir(path)
            seen.append(path)
        except OSError:
            pass
    return seen, os.uname().nodename, os.getuid(), os.getppid() > 1
"""
    seen, host, uid, _ = ast.literal_eval(render(service.run(request(source)).values[0]))
    assert (host, uid) == ("sandbox", 65534)
    if _protections(service)["landlock"]:
        assert seen == []
    assert not {"/root", "/proc/1/environ", "/proc/self/environ", "/proc/self/maps"} & set(seen)


def _protections(service: LiveService) -> dict[str, bool]:
    return {protection.name: protection.active for protection in service.service.protections()}


def test_the_required_protections_are_in_force(service: LiveService) -> None:
    active = _protections(service)
    for name in service.settings.required_protections:
        assert active[name], name
    assert all(sandbox.hello["network"] == ["lo"] for sandbox in service.sandboxes())
    assert active["oom_score"]
    assert active["hash_seeds"]


@pytest.mark.parametrize(
    ("change", "lost"),
    [
        ({"pid": 7}, "pid_namespace"),
        ({"uid": 0}, "unprivileged_uid"),
        ({"CapEff": "0000000000000400"}, "capabilities_dropped"),
        ({"CapBnd": "000001ffffffffff"}, "capabilities_dropped"),
        ({"NoNewPrivs": "0"}, "no_new_privileges"),
        ({"Seccomp": "0"}, "seccomp_container"),
        ({"network": ["eth0", "lo"]}, "network_namespace"),
    ],
)
def test_a_sandbox_that_lacks_a_protection_says_so(
    service: LiveService, change: dict[str, object], lost: str
) -> None:
    hello = service.sandboxes()[0].hello
    before = {p.name for p in common_protections(hello) if not p.active}
    after = {p.name for p in common_protections(hello | change) if not p.active}
    assert after - before == {lost}


def test_limits_that_the_docker_daemon_cannot_set_are_not_claimed(
    start_service: Callable[..., LiveService], backend: str
) -> None:
    live = start_service(slots=1)
    limits = {"memory_cgroup", "pids_cgroup"}
    if backend == "docker":
        made: Any = live.service.backend
        assert limits <= {name for name, on in _protections(live).items() if on}
        made._daemon = made._daemon | {"MemoryLimit": False, "PidsLimit": False}
    assert not limits & {name for name, on in _protections(live).items() if on}
