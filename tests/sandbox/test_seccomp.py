"""The seccomp profiles: a strict reader, runs that can work, the right errors, dead attacks.

Filters are tried on real processes: a Python that installs one and goes on. What the compiled
filters answer to arguments that no process can try stands in ``test_seccomp_rules``.
"""

import json
import os
import platform
import signal
import subprocess
import sys
import textwrap
from functools import cache

import pytest

from executor_service.errors import ConfigurationError
from executor_service.sandbox import seccomp

PROGRAM = seccomp.load_profile("program")
CONTAINER = seccomp.load_profile("container")
KILLED = {
    name: seccomp.explain(profile).killed
    for name, profile in (("program", PROGRAM), ("container", CONTAINER))
}
NEW_NAMESPACE = 0x7E020000  # every CLONE_NEW flag that clone takes

# The first lines of every tried process: `install(bytes)` is what the runner does.
PRELUDE = """
import ctypes, errno, os, signal, sys
libc = ctypes.CDLL(None, use_errno=True)
class Fprog(ctypes.Structure):
    _fields_ = [("len", ctypes.c_ushort), ("filter", ctypes.c_void_p)]
def install(code):
    memory = ctypes.create_string_buffer(code, len(code))
    program = Fprog(len(code) // 8, ctypes.addressof(memory))
    assert libc.prctl(38, 1, 0, 0, 0) == 0
    assert libc.prctl(22, 2, ctypes.byref(program), 0, 0) == 0, ctypes.get_errno()
def call(number, *args):
    ctypes.set_errno(0)
    words = [ctypes.c_long(number), *map(ctypes.c_long, args)]
    return libc.syscall(*words), errno.errorcode.get(ctypes.get_errno())
filters = [bytes.fromhex(text) for text in sys.argv[1:]]
"""
STDLIB = """
abc argparse array ast asyncio base64 binascii bisect bz2 calendar cmath codecs collections
collections.abc colorsys concurrent.futures configparser contextlib copy csv ctypes dataclasses
datetime decimal difflib doctest email enum errno fnmatch fractions functools gettext glob
graphlib gzip hashlib heapq hmac html http.client inspect io ipaddress itertools json keyword
linecache locale logging lzma math mmap multiprocessing numbers operator os pathlib pickle
platform pprint queue random re reprlib resource sched secrets select selectors shlex shutil
signal socket sqlite3 ssl statistics string stringprep struct subprocess symtable tempfile
textwrap threading time timeit tokenize tomllib traceback types typing unicodedata unittest
urllib.parse urllib.request uuid warnings weakref xml.etree.ElementTree zipfile zlib zoneinfo
"""


@cache
def compiled(name: str, allow_threads: bool = False) -> bytes:
    return seccomp.compile_bpf(seccomp.load_profile(name), allow_threads=allow_threads)


def under(code: str, *filters: bytes, before: str = "") -> subprocess.CompletedProcess[str]:
    """Run `before`, install the filters, run `code`; its end skips the interpreter's own."""
    body = textwrap.dedent(code)
    script = f"{PRELUDE}\n{textwrap.dedent(before)}\nfor code in filters: install(code)\n{body}"
    return subprocess.run(
        [sys.executable, "-s", "-S", "-B", "-c", f"{script}\nsys.stdout.flush()\nos._exit(0)"]
        + [code.hex() for code in filters],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def in_run(code: str, *, allow_threads: bool = False, before: str = "") -> str:
    """What `code` prints under the program's filter; it must not die."""
    done = under(code, compiled("program", allow_threads), before=before)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.strip()


def test_the_explanation_names_each_call_once_and_counts_what_is_reachable():
    for profile in (PROGRAM, CONTAINER):
        told = seccomp.explain(profile)
        groups = [told.allowed, told.conditional, told.refused, told.killed, told.ignored]
        names = [name for group in groups for name in group]
        assert len(names) == len(set(names))
        rules = profile.rules(allow_threads=False)
        assert set(names) == {name for rule in rules for name in rule.names}
        assert told.reach.reachable < seccomp.DOCKER_DEFAULT.reachable / 2
        assert told.reach.total > 300
        assert told.default == "EPERM"
        assert told.instructions * 8 == len(seccomp.compile_bpf(profile))
    assert seccomp.explain(PROGRAM).reach.reachable < 60
    assert "arg2 & 0x400643 == 0x0" in seccomp.explain(PROGRAM).conditional["openat"][0]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"SCMP_ACT_ALLOW"', '"SCMP_ACT_LOG"'),
        ('"SCMP_CMP_MASKED_EQ"', '"SCMP_CMP_ALMOST"'),
        ('"comment"', '"coment"'),
        ('"action": "SCMP_ACT_ALLOW"', '"action": "SCMP_ACT_ALLOW", "includes": {}'),
        ('"action": "SCMP_ACT_ALLOW"', '"action": "SCMP_ACT_ALLOW", "errnoRet": 2'),
        ('"action": "SCMP_ACT_ALLOW"', '"action": "SCMP_ACT_ERRNO"'),
        ('"action": "SCMP_ACT_ALLOW"', '"action": "SCMP_ACT_ERRNO", "errnoRet": 1'),
        ('"index": 2', '"index": 6'),
        ('"index": 3', '"index": 2'),
        ('"value": 15', '"value": "15"'),
        ('"defaultAction": "SCMP_ACT_ERRNO"', '"defaultAction": "SCMP_ACT_ALLOW"'),
        ('"subArchitectures": []', '"subArchitectures": ["SCMP_ARCH_X32"]'),
        ('"brk"', '"mmap"'),
        ('"brk"', '"munmap"'),
        ("{", "{ nonsense"),
    ],
)
def test_a_profile_that_is_not_fully_understood_is_refused(old, new):
    text = (seccomp.profile_path("program")).read_text()
    assert old in text
    with pytest.raises(ConfigurationError, match=r"seccomp profile odd\.json"):
        seccomp.parse_profile(text.replace(old, new, 1), source="odd.json")


def test_both_files_are_plain_docker_profiles():
    for name in ("container", "program"):
        document = json.loads(seccomp.profile_path(name).read_text())
        assert set(document) == {"defaultAction", "defaultErrnoRet", "archMap", "syscalls"}


def test_the_profiles_of_an_installed_package_come_from_the_package(tmp_path, monkeypatch):
    package = tmp_path / "executor_service"
    (package / "seccomp").mkdir(parents=True)
    monkeypatch.setattr(seccomp, "__file__", str(package / "sandbox" / "seccomp.py"))
    assert seccomp.profile_path("program") == package / "seccomp" / "program.json"
    with pytest.raises(ConfigurationError, match="no seccomp profile"):
        seccomp.load_profile("program")


def test_a_machine_without_libseccomp_is_told_what_to_install(monkeypatch):
    seccomp.libseccomp.cache_clear()
    monkeypatch.setitem(sys.modules, "pyseccomp", None)
    with pytest.raises(ConfigurationError, match="libseccomp2"):
        seccomp.compile_bpf(PROGRAM)


def test_a_profile_for_other_machines_is_refused(monkeypatch):
    machine = os.uname()
    other = os.uname_result((machine.sysname, "", "", "", "sparc64"))
    monkeypatch.setattr(os, "uname", lambda: other)
    with pytest.raises(ConfigurationError, match="sparc64"):
        seccomp.compile_bpf(PROGRAM)


def test_a_run_can_print_read_sleep_and_grow():
    assert in_run(
        """
        import time
        time.sleep(0.01)
        text = open(os.__file__).read() * 300
        print(len(text) > 10**6, os.getcwd() != "", sum(range(10)), len(os.listdir("/")) > 0)
        """
    ) == ("True True 45 True")


def test_the_standard_library_imports_late():
    names = STDLIB.split()
    assert in_run(f"for name in {names}: __import__(name)\nprint(name)") == names[-1]


# The error a program gets, and what it tried.
REFUSALS = """
EROFS   open('/tmp/x', 'w')
EROFS   open('/etc/passwd', 'a')
EROFS   open('/dev/null', 'r+')
EROFS   os.open('/tmp', os.O_TMPFILE | os.O_RDWR)
EROFS   os.mkdir('/tmp/x')
EROFS   os.unlink('/etc/passwd')
EROFS   os.chmod('/etc/passwd', 0o777)
EAGAIN  os.fork()
EAGAIN  subprocess.run(['true'])
ECHILD  os.wait()
EACCES  socket.socket(socket.AF_UNIX)
EPERM   socket.socketpair()
EPERM   os.memfd_create('x')
EPERM   signal.raise_signal(signal.SIGTERM)
EPERM   signal.setitimer(signal.ITIMER_REAL, 1)
EPERM   os.setpriority(os.PRIO_PROCESS, 0, 5)
EPERM   os.sched_setaffinity(0, {0})
EPERM   time.clock_gettime(-6)
EPERM   fcntl.fcntl(1, fcntl.F_SETPIPE_SZ, 1 << 20)
EPERM   fcntl.fcntl(1, fcntl.F_SETOWN, 1)
EPERM   fcntl.ioctl(1, 0x5412, b'x')
EPERM   fcntl.flock(1, fcntl.LOCK_EX)
EPERM   mmap.mmap(-1, 4096)
EPERM   mmap.mmap(-1, 4096, flags=34, prot=7)
EPERM   mmap.mmap(-1, 4096, flags=34, prot=5)
"""


@pytest.mark.parametrize(
    ("error", "attempt"), [line.split(maxsplit=1) for line in REFUSALS.strip().splitlines()]
)
def test_a_run_is_refused(error, attempt):
    imports = "import fcntl, mmap, socket, subprocess, time"
    code = f"try: {attempt}\nexcept OSError as e: print(errno.errorcode[e.errno])"
    assert in_run(code, before=imports) == error


def test_a_run_reads_its_limits_and_cannot_set_them():
    code = """
    import resource
    now = resource.getrlimit(resource.RLIMIT_NOFILE)
    try: resource.setrlimit(resource.RLIMIT_NOFILE, now)
    except (OSError, ValueError) as e: print(type(e).__name__)
    """
    assert in_run(code) in {"ValueError", "PermissionError"}


@pytest.mark.parametrize(
    ("name", "args", "answer"),
    [
        ("clone3", (0, 0), "(-1, 'ENOSYS')"),
        ("mprotect", (0, 4096, 5), "(-1, 'EPERM')"),
        ("prctl", (4, 1), "(-1, 'EPERM')"),
        ("seccomp", (1, 0, 0), "(-1, 'EPERM')"),
        ("clone", (NEW_NAMESPACE | 17, 0), "(-1, 'EAGAIN')"),
    ],
)
def test_a_bare_call_of_a_run_is_refused(name, args, answer):
    assert in_run(f"print(call({seccomp._number(name)}, *{args}))") == answer


START_THREAD = """
import threading
try:
    thread = threading.Thread(target=print, args=("ran",))
    thread.start()
    thread.join()
except RuntimeError as e: print(e)
"""


def test_threads_start_only_where_they_are_allowed():
    assert in_run(START_THREAD) == "can't start new thread"
    assert in_run(START_THREAD, allow_threads=True) == "ran"
    fork = "try: os.fork()\nexcept BlockingIOError: print('refused')"
    assert in_run(fork, allow_threads=True) == "refused"


@cache
def ends_of_killed_calls(profile: str) -> dict[str, int]:
    """Each killed call made by a process of its own, with zeros for arguments: exit codes."""
    numbers = {name: seccomp._number(name) for name in KILLED[profile]}
    code = f"""
    import json
    ends = {{}}
    for name, number in {numbers}.items():
        if (pid := os.fork()) == 0:
            install(last)
            call(number, 0, 0, 0, 0, 0, 0)
            os._exit(0)
        ends[name] = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    print(json.dumps(ends))
    """
    return json.loads(under(code, compiled(profile), before="last = filters.pop()").stdout)


@pytest.mark.parametrize(
    ("profile", "name"), [(profile, name) for profile in KILLED for name in KILLED[profile]]
)
def test_a_call_that_only_attacks_make_kills(profile, name):
    assert ends_of_killed_calls(profile)[name] == -signal.SIGSYS


ATTACKS = {
    "internet socket": "import socket; socket.socket()",
    "crypto socket": "call(SOCKET, 38, 5, 0)",
    "netlink socket": "call(SOCKET, 16, 3, 0)",
    "vsock": "call(SOCKET, 40, 1, 0)",
    "exec": "os.execv('/bin/true', ['true'])",
    "signal to PID 1": "os.kill(1, 0)",
    "signal to all": "os.kill(-1, 0)",
    "no address randomisation": "call(PERSONALITY, 0x40000)",
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_an_attack_ends_the_run_by_sigsys(attack):
    numbers = f"SOCKET, PERSONALITY = {[seccomp._number(n) for n in ('socket', 'personality')]}"
    done = under(ATTACKS[attack], compiled("program"), before=numbers)
    assert done.returncode == -signal.SIGSYS, done.stderr


def test_an_aborting_program_still_ends():
    assert under("os.abort()", compiled("program")).returncode < 0


if platform.machine() == "x86_64":

    @pytest.mark.parametrize("profile", KILLED)
    def test_x32_calls_kill(profile):
        done = under("call(0x40000000 | 39)", compiled(profile))
        assert done.returncode == -signal.SIGSYS

    @pytest.mark.parametrize("profile", KILLED)
    def test_32_bit_calls_kill(profile):
        # mov eax, 20 (getpid of i386); int 0x80; ret. A kernel without IA-32 raises a fault.
        getpid = """
        import mmap
        page = mmap.mmap(-1, 4096, flags=34, prot=7)
        page.write(bytes.fromhex("b814000000cd80c3"))
        enter = ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(page)))
        """
        done = under("enter()", compiled(profile), before=getpid)
        assert done.returncode in {-signal.SIGSYS, -signal.SIGSEGV}


SUPERVISOR = """
import ctypes, os, resource, select, signal, subprocess, sys, time
reader, writer = os.pipe()
epoll = select.epoll()
epoll.register(reader)
pid = os.fork()
if pid == 0:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    exec(sys.argv[1])  # what `install` needs
    install(bytes.fromhex(sys.argv[2]))
    os.write(writer, b"result")
    while True: pass
epoll.poll(10)
pidfd = os.pidfd_open(pid)
clock = time.clock_gettime((~pid << 3) | 2)
signal.pidfd_send_signal(pidfd, signal.SIGKILL)
print(os.waitid(os.P_PIDFD, pidfd, os.WEXITED).si_status, os.read(reader, 9).decode(), clock >= 0)
done = subprocess.run([sys.executable, "-S", "-c", "print(1)"], capture_output=True, check=True)
print(done.stdout.decode().strip(), len(open("/proc/self/schedstat").read().split()))
"""


def test_a_supervisor_and_its_runs_work_under_the_container_profile():
    setup = PRELUDE.replace("filters = ", "unused = ").replace("sys.argv[1:]", "[]")
    command = [sys.executable, "-s", "-S", "-B", "-c", SUPERVISOR, setup]
    code = f"os.execv(sys.executable, {command!r} + [sys.argv[2]])"
    before = "filters.pop()"
    done = under(code, compiled("container"), compiled("program"), before=before)
    assert done.stdout.split() == ["9", "result", "True", "1", "3"], done.stderr


def test_the_container_profile_stops_new_namespaces():
    clone = f"print(call({seccomp._number('clone')}, {NEW_NAMESPACE | 17}, 0))"
    assert under(clone, compiled("container")).stdout.strip() == "(-1, 'EPERM')"
