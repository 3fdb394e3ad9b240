"""A warmed-up interpreter that forks one child per run and never reads a request.

It imports its flavour's modules, confines itself, freezes its heap and then does three things for
ever: fork a child into a free lane, wait for a child to die, tell the supervisor. All that its
children inherit is fixed before the first request reaches the sandbox.
"""

import gc
import importlib
import json
import marshal
import os
import resource
import signal
import sys
from typing import Any, Final

from . import script
from .child import EVENTS_FD, REQUEST_FD, RESULT_FD, live
from .frames import ENDED, EVENT, LANES, LENGTH, PARKED, write_all
from .huge_text import move_text
from .kernel import (
    PR_SET_DUMPABLE,
    PR_SET_PDEATHSIG,
    SeccompFilter,
    landlock_abi,
    landlock_confine,
    prctl,
)
from .program import MODULE, run
from .scratch import SCRATCH, SCRATCH_BYTES
from .variants import FLAVOURS

SETUP_FD: Final = 21
FIRST_LANE_FD: Final = 22
"""Four descriptors per lane from here on: request, result, stdout, stderr."""

_REHEARSAL: Final = """
def f(x):
    total = 0
    for i, item in enumerate(x):
        total += i
    return [total, str(total), {"a": (1, 2.5, None, True)}, {1}, x]
"""
_REHEARSALS: Final = 24
_OPEN_FILES: Final = 64
_STACK_BYTES: Final = 16 * 1024 * 1024
_ADDRESS_SPACE_STEP: Final = 16 * 1024 * 1024


def main() -> None:
    """Run a zygote; entry point of the interpreter that the supervisor starts."""
    setup: dict[str, Any] = json.loads(_read_setup())
    huge = move_text()
    scripts = bool(setup.get("scripts"))
    imported = warm_up(FLAVOURS[setup["flavour"]].modules)
    if scripts:
        script.warm_up()
    standing, closing = (SeccompFilter(bytes.fromhex(bpf)) for bpf in setup["filters"])
    # What is read from /proc is read now: Landlock closes it.
    base_bytes = address_space_bytes()
    facts = {"imported": imported, "clock_shifted": clock_is_shifted(), "huge_text_bytes": huge}
    send_facts(facts | harden(scripts=scripts))
    hide_environment()
    rehearse()
    gc.collect()
    gc.freeze()
    standing.install()
    fork_for_ever(closing, base_bytes)


def _read_setup() -> bytes:
    data = b""
    while chunk := os.read(SETUP_FD, 1 << 16):
        data += chunk
    os.close(SETUP_FD)
    return data


def warm_up(modules: tuple[str, ...]) -> list[str]:
    """Import the flavour's modules and exercise what is built lazily; return those that exist."""
    add_site_directories()
    imported = []
    for name in modules:
        try:
            importlib.import_module(name)
        except ImportError:
            continue
        imported.append(name)
    return imported


def rehearse() -> None:
    """Run a program of our own a few times, as a child would.

    The interpreter then has specialised the harness's bytecode and filled its caches, so that a
    child writes to (and thereby copies) fewer pages. No program or input of a request is involved.
    """
    request = {
        "program": _REHEARSAL,
        "imports": (),
        "entry_point": "f",
        "args": [{"t": "list", "v": [{"t": "int", "v": "1"}, {"t": "str", "v": "a"}]}],
        "kwargs": [],
        "calls": 1,
        "output_bytes": 65_536,
    }
    before = set(MODULE.__dict__)
    for _ in range(_REHEARSALS):
        run(marshal.loads(marshal.dumps(request, 2)))  # noqa: S302 - our own bytes
    for name in set(MODULE.__dict__) - before:
        del MODULE.__dict__[name]


def add_site_directories() -> None:
    """Append the image's package directories; ``site`` itself, with its hooks, is never run."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    for prefix in dict.fromkeys((sys.prefix, sys.base_prefix, "/usr", "/usr/local")):
        for path in (
            f"{prefix}/lib/{version}/site-packages",
            f"{prefix}/lib/{version}/dist-packages",
        ):
            if path not in sys.path and os.path.isdir(path):  # no pathlib in here
                sys.path.append(path)
    if sys.base_prefix == "/usr" and os.path.isdir("/usr/lib/python3/dist-packages"):
        sys.path.append("/usr/lib/python3/dist-packages")


def harden(*, scripts: bool) -> dict[str, Any]:
    """Confine this process and so all its children; return what is in force.

    With ``scripts`` the scratch, and nothing else, can be written to.
    """
    prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    try:
        with open("/proc/self/oom_score_adj", "w") as file:
            file.write("1000")
        oom_first = True
    except OSError:
        oom_first = False
    resource.setrlimit(resource.RLIMIT_NOFILE, (_OPEN_FILES, _OPEN_FILES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    largest_file = SCRATCH_BYTES if scripts else 0
    resource.setrlimit(resource.RLIMIT_FSIZE, (largest_file, largest_file))
    resource.setrlimit(resource.RLIMIT_MEMLOCK, (0, 0))
    resource.setrlimit(resource.RLIMIT_MSGQUEUE, (0, 0))
    _, hard = resource.getrlimit(resource.RLIMIT_STACK)
    if hard == resource.RLIM_INFINITY or hard > _STACK_BYTES:
        resource.setrlimit(resource.RLIMIT_STACK, (_STACK_BYTES, _STACK_BYTES))
    writable = (SCRATCH, "/dev/null") if scripts else ()
    abi = landlock_confine(readable_paths(), writable) if landlock_abi() else 0
    prctl(PR_SET_DUMPABLE, 0)
    return {"oom_score": oom_first, "landlock_abi": abi}


def readable_paths() -> tuple[str, ...]:
    """Return what late imports need; nothing else of the file system can be opened."""
    paths = (
        f"{sys.base_prefix}/lib", f"{sys.prefix}/lib", "/usr/lib", "/usr/local/lib", "/lib",
        "/lib64", "/usr/share/zoneinfo", "/etc/ld.so.cache", "/etc/alternatives", "/dev/null",
        "/dev/urandom",
    )  # fmt: skip
    return tuple(dict.fromkeys(paths))


def clock_is_shifted() -> bool:
    """Tell whether libfaketime is really loaded into this process."""
    with open("/proc/self/maps") as maps:
        return "libfaketime" in maps.read()


def hide_environment() -> None:
    """Take what the sandbox needs for itself out of the environment that programs see."""
    for key in list(os.environ):
        if key.startswith("FAKETIME"):
            # Out of the mapping but not out of the process: libfaketime reads it there.
            os.environ._data.pop(os.environ.encodekey(key))  # type: ignore[attr-defined]
        elif key.startswith(("PYTHON", "MALLOC_", "LD_")) or key.endswith("_NUM_THREADS"):
            del os.environ[key]


def send_facts(facts: dict[str, Any]) -> None:
    """Tell the supervisor, once, what this zygote is."""
    data = json.dumps(facts).encode()
    write_all(EVENTS_FD, LENGTH.pack(len(data)) + data)


def address_space_bytes() -> int:
    """Return the size of this process's address space, before any run adds to it.

    Rounded up: a few pages more or less, as the heap happened to grow, must not give programs
    another limit in one sandbox than in the next.
    """
    with open("/proc/self/statm") as statm:
        size = int(statm.read().split()[0]) * resource.getpagesize()
    return -(-size // _ADDRESS_SPACE_STEP) * _ADDRESS_SPACE_STEP


def take_lane(first: int) -> None:
    """Put a lane's descriptors where the next child wants them.

    Done here and not in the child, where every call would copy the pages it touches.
    """
    os.dup2(first, REQUEST_FD, inheritable=False)
    os.dup2(first + 1, RESULT_FD, inheritable=False)
    os.dup2(first + 2, 1)
    os.dup2(first + 3, 2)


def fork_for_ever(closing: SeccompFilter, base_bytes: int) -> None:
    """Keep every lane filled with a child; report each one that parks and each one that dies."""
    lanes: dict[int, int] = {}

    def park(lane: int) -> None:
        take_lane(FIRST_LANE_FD + 4 * lane)
        pid = os.fork()
        if pid == 0:
            live(closing, base_bytes)
        lanes[pid] = lane
        os.write(EVENTS_FD, EVENT.pack(PARKED, lane, pid, 0, 0, 0))

    for lane in range(LANES):
        park(lane)
    while True:
        pid, status, usage = os.wait4(-1, 0)
        lane = lanes.pop(pid)
        cpu_us = int((usage.ru_utime + usage.ru_stime) * 1e6)
        os.write(EVENTS_FD, EVENT.pack(ENDED, lane, pid, status, usage.ru_maxrss, cpu_us))
        park(lane)
