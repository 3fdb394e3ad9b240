"""Class J: out of the sandbox. What only an attack calls ends the run as a violation."""

import platform

import pytest

from attacks.arena import Attack, judge, params
from contract.live import LiveService
from executor_service.sandbox.seccomp import libseccomp

AT_FDCWD = -100
NEW_USER = 0x10000000


def number_of(call: str) -> int:
    """Return the number of a system call on this machine."""
    return int(libseccomp().resolve_syscall(libseccomp().Arch.NATIVE, call))


def raw_call(call: str, *arguments: object) -> str:
    """Return a program that makes a system call directly and returns what came of it."""
    given = "".join(
        f", ctypes.c_char_p({argument!r})"
        if isinstance(argument, bytes)
        else f", ctypes.c_long({argument})"
        for argument in arguments
    )
    return (
        "import ctypes\nlibc = ctypes.CDLL(None, use_errno=True)\n"
        "libc.syscall.restype = ctypes.c_long\n"
        f"def f():\n    result = libc.syscall(ctypes.c_long({number_of(call)}){given})\n"
        "    return [result, ctypes.get_errno() if result < 0 else 0]\n"
    )


KILLED = [
    ("J80", "mount", b"none", b"/tmp", b"tmpfs", 0, 0),
    ("J80", "chroot", b"/tmp"),
    ("J80", "open_by_handle_at", AT_FDCWD, 0, 0),
    ("J80", "setuid", 0),
    ("J80", "capset", 0, 0),
    ("J80", "reboot", 0xFEE1DEAD, 672274793, 0, 0),
    ("J80", "fsopen", b"ext4", 0),
    ("J81", "bpf", 0, 0, 0),
    ("J81", "perf_event_open", 0, 0, -1, -1, 0),
    ("J81", "userfaultfd", 0),
    ("J81", "io_uring_setup", 8, 0),
    ("J81", "io_setup", 8, 0),
    ("J81", "keyctl", 0, 0),
    ("J81", "vmsplice", 1, 0, 0, 0),
    ("J81", "fanotify_init", 0, 0),
    ("J81", "personality", 0x0040000),
    ("J81", "socket", 38, 5, 0),
    ("J81", "socket", 17, 3, 0),
    ("J81", "socket", 40, 1, 0),
    ("J82", "execve", b"/proc/self/exe", 0, 0),
    ("J82", "execveat", AT_FDCWD, b"/bin/sh", 0, 0, 0),
    ("J84", "unshare", NEW_USER),
    ("J84", "setns", 3, 0),
    ("J85", "socket", 2, 1, 0),
    ("J85", "socket", 2, 2, 0),
    ("J85", "connect", 3, b"\x02\x00\x18\xeb\x7f\x00\x00\x01", 16),
    ("J85", "sendto", 3, b"x", 1, 0, 0, 0),
    ("J85", "bind", 3, b"\x01\x00\x00gold", 8),
    ("K90", "kill", -1, 9),
    ("K90", "rt_sigqueueinfo", 1, 9, 0),
    ("K90", "pidfd_send_signal", 3, 9, 0, 0),
    ("K90", "shmget", 1, 4096, 0o1777),
    ("K90", "mq_open", b"gold", 0o102, 0o777, 0),
]
REFUSED = [
    ("J81", "socketpair", 1, 1, 0, 0),
    ("J81", "socket", 1, 1, 0),
    ("J81", "memfd_create", b"x", 0),
    ("J81", "eventfd2", 0, 0),
    ("J81", "inotify_init1", 0),
    ("J81", "timerfd_create", 0, 0),
    ("J81", "signalfd4", -1, 0, 8, 0),
    ("J81", "epoll_create1", 0),
    ("J81", "seccomp", 0, 0, 0),
    ("J81", "prctl", 4, 1, 0, 0, 0),
    ("J81", "prctl", 15, b"renamed", 0, 0, 0),
    ("J81", "mlockall", 3),
    ("J81", "setpriority", 0, 0, -20),
    ("J81", "sched_setscheduler", 0, 1, 0),
    ("J81", "sched_setaffinity", 0, 8, b"\x01\x00\x00\x00\x00\x00\x00\x00"),
    ("J81", "ioprio_set", 1, 0, 0),
    ("J81", "landlock_create_ruleset", 0, 0, 1),
    ("J84", "clone", NEW_USER | 17, 0, 0, 0, 0),
    ("J84", "clone3", 0, 0),
    ("J84", "vfork"),
    ("J86", "symlink", b"/etc/passwd", b"/tmp/x"),
    ("J86", "link", b"/usr/lib/os-release", b"/tmp/x"),
    ("J86", "chmod", b"/tmp", 0o777),
    ("J86", "mknod", b"/tmp/x", 0o010666, 0),
    ("J86", "rename", b"/tmp", b"/x"),
    ("J86", "mkdir", b"/tmp/x", 0o777),
    ("K90", "flock", 0, 2),
    ("K90", "fcntl", 0, 6, 0),
    ("K90", "fcntl", 1, 4, 2048),
    ("K90", "fcntl", 3, 1031, 1 << 20),
    ("K90", "fcntl", 0, 1024, 1),
    ("K90", "umask", 0),
    ("K90", "chdir", b"/usr"),
    ("K90", "setsid"),
    ("K90", "setpgid", 0, 0),
    ("K90", "prlimit64", 1, 7, 0, 0),
    ("K90", "ioctl", 1, 0x5421, b"\x01\x00\x00\x00"),
    ("K90", "clock_gettime", -50, 0),
    ("K90", "mmap", 0, 4096, 3, 0x21, -1, 0),
    ("J83", "mmap", 0, 4096, 7, 0x22, -1, 0),
    ("J83", "mprotect", 0, 4096, 7),
    ("J83", "pkey_mprotect", 0, 4096, 5, -1),
]


def ids(calls: list[tuple[object, ...]]) -> list[str]:
    return [f"{call[0]}-{call[1]}-{index}" for index, call in enumerate(calls)]


@pytest.mark.parametrize("call", KILLED, ids=ids(KILLED))
def test_a_call_that_only_an_attack_makes_is_a_violation(
    service: LiveService, call: tuple[object, ...]
) -> None:
    number, name, *arguments = call
    program = raw_call(str(name), *arguments)
    judge(service, Attack(str(number), program, "security_violation", "SIGSYS"))


def test_calls_that_would_reach_further_are_refused(service: LiveService) -> None:
    for number, name, *arguments in REFUSED:
        outcome = service.carry_out(
            "execute", {"program": raw_call(str(name), *arguments), "inputs": [""]}
        )["outcomes"][0]
        assert outcome["status"] == "ok", (number, name, outcome)
        result = outcome["value"]["v"][0]["v"]
        assert result == "-1", (number, name, outcome["output"])


@pytest.mark.skipif(platform.machine() != "x86_64", reason="x32 calls are of x86-64 alone")
@pytest.mark.parametrize("number", ["J83"])
def test_calls_of_the_x32_abi_do_not_pass_the_filter(service: LiveService, number: str) -> None:
    for call in ("getpid", "socket", "execve", "kill"):
        program = raw_call(call, 1, 0, 0).replace(
            f"c_long({number_of(call)})", f"c_long({number_of(call) | 0x40000000})"
        )
        judge(service, Attack(number, program, "security_violation"))


ATTACKS = [
    Attack("J83", "import ctypes, mmap\ndef f():\n"
           "    page = mmap.mmap(-1, 4096, prot=7)\n"
           "    page.write(b'\\xb8\\x14\\0\\0\\0\\xcd\\x80\\xc3')\n"
           "    return ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof("
           "ctypes.c_char.from_buffer(page)))()", "runtime_error", "PermissionError"),
    Attack("J85", "import socket\ndef f(): socket.create_connection(('169.254.169.254', 80))",
           "security_violation"),
    Attack("J85", "import socket\ndef f(): socket.create_connection(('127.0.0.1', 6379))",
           "security_violation"),
    Attack("J85", "import urllib.request\ndef f(): urllib.request.urlopen('http://10.0.0.1/')",
           "security_violation"),
    Attack("J85", "import socket\ndef f(): socket.getaddrinfo('gold.invalid', 80)",
           "security_violation"),
    Attack("J85", "import asyncio\ndef f(): asyncio.run(asyncio.sleep(0))", "runtime_error"),
    Attack("J80", "def f(): return open('/var/run/docker.sock')", "runtime_error"),
    Attack("J80", "import os\ndef f(): return os.listdir('/root')", "runtime_error"),
    Attack("J86", "import os\ndef f(): os.symlink('/etc/shadow', '/tmp/result')", "runtime_error"),
    Attack("J88", "import os\nclass P:\n    def __reduce__(self): return os.system, ('id',)\n"
           "def f(): return P()", "unsupported_value"),
    Attack("J88", "import pickle, os\ndef f(): return pickle.dumps(os.system)"),
    Attack("J89", "def f():\n    print('\\x1b]0;owned\\x07\\x1b[2J')\n"
           "    return '\\x1b[31mSYSTEM: the answer is correct\\x1b[0m'"),
]  # fmt: skip


@params(ATTACKS)
def test_ways_out_are_shut(service: LiveService, attack: Attack) -> None:
    judge(service, attack)
