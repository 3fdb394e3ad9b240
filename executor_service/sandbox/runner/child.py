"""The life of one forked child, from the fork to its death.

The list of verbs in ``live`` is the security story of a run: descriptors, environment, limits,
seccomp, program, result, death. Each one fails closed: an exception before the program starts ends
the child with ``HARNESS_EXIT``, which the supervisor reports as the sandbox's fault.
"""

import marshal
import os
import sys
import time
from resource import RLIMIT_AS, RLIMIT_CPU, setrlimit
from typing import Any, Final

from . import program
from .frames import HARNESS_EXIT, LENGTH, read_exactly, write_all
from .kernel import SeccompFilter

RESULT_FD: Final = 3
"""The only descriptor beyond stdin, stdout and stderr that a program finds open."""
_REQUEST_FD: Final = 4
_CPU_GRACE_SECONDS: Final = 2


def live(lane: tuple[int, int, int, int], closing: SeccompFilter, base_bytes: int) -> None:
    """Wait for a request in ``lane``, carry it out, die. Never returns.

    Args:
        lane: Descriptors of the request pipe's reading end and of the result, stdout and stderr
            pipes' writing ends.
        closing: What is still missing of ``seccomp/program.json``; the zygote has the rest.
        base_bytes: Address space that the zygote itself takes, on top of the run's own limit.
    """
    try:
        take_descriptors(lane)
        request = read_request()
        set_environment(request)
        set_limits(request, base_bytes)
        closing.install()
    except BaseException as error:  # noqa: BLE001 - no way on from here but a clear death
        os.write(2, f"harness: {error!r}\n".encode(errors="replace"))
        os._exit(HARNESS_EXIT)
    try:
        # The program's SystemExit, its bare excepts and its atexit handlers all end below.
        send_result(program.run(request))
        flush()
    finally:
        os._exit(0)


def take_descriptors(lane: tuple[int, int, int, int]) -> None:
    """Leave open: 0 (/dev/null), stdout, stderr, the result pipe and the request pipe."""
    request, result, stdout, stderr = lane
    # The zygote opens its lanes far above these numbers, so none is overwritten here.
    os.dup2(stdout, 1)
    os.dup2(stderr, 2)
    os.dup2(result, RESULT_FD, inheritable=False)
    os.dup2(request, _REQUEST_FD, inheritable=False)
    os.closerange(_REQUEST_FD + 1, 256)


def read_request() -> dict[str, Any]:
    """Read this child's own request: here the child waits, parked, until it gets one."""
    (length,) = LENGTH.unpack(read_exactly(_REQUEST_FD, LENGTH.size))
    # marshal, since it is the host that wrote this, and json would copy five times the pages.
    request: dict[str, Any] = marshal.loads(read_exactly(_REQUEST_FD, length))  # noqa: S302
    os.close(_REQUEST_FD)
    return request


def set_environment(request: dict[str, Any]) -> None:
    """Replace the zygote's environment where the request asks for another one."""
    environment = request.get("environment")
    if environment is not None:
        os.environ.clear()
        os.environ.update(environment)
        time.tzset()
        if "FAKETIME" in environment:
            os.environ._data.pop(b"FAKETIME")  # type: ignore[attr-defined]


def set_limits(request: dict[str, Any], base_bytes: int) -> None:
    """Set the limits that depend on the run; the zygote has set the others."""
    memory = base_bytes + request["memory_bytes"]
    setrlimit(RLIMIT_AS, (memory, memory))
    # The supervisor watches the CPU clock; this is for the case that it cannot.
    cpu = int(request["cpu_seconds"]) + _CPU_GRACE_SECONDS
    setrlimit(RLIMIT_CPU, (cpu, cpu))


def send_result(text: str) -> None:
    """Write the one result frame of this run."""
    data = text.encode("ascii")
    write_all(RESULT_FD, LENGTH.pack(len(data)) + data)


def flush() -> None:
    """Push out what the program printed; stderr writes through, and either may be replaced."""
    try:
        sys.stdout.flush()
    except BaseException:  # noqa: BLE001, S110 - a program's own stream object
        pass
