"""The life of one forked child, from the fork to its death.

The list of verbs in ``live`` is the security story of a run: descriptors, environment, limits,
seccomp, program, result, death. Each one fails closed: an exception before the program starts ends
the child with a ``FAILED`` event, which the supervisor reports as the sandbox's fault. An exit
status would not do: a program can choose any.
"""

import marshal
import os
import time
from resource import RLIMIT_AS, RLIMIT_CPU, setrlimit
from typing import Any, Final

from . import program, script
from .frames import EVENT, FAILED, LENGTH, read_exactly, write_all
from .kernel import SeccompFilter

RESULT_FD: Final = 3
"""The only descriptor beyond stdin, stdout and stderr that a program finds open; a script none."""
REQUEST_FD: Final = 4
"""Where a child's request comes from; closed before the program starts."""
EVENTS_FD: Final = 5
"""Where a failing harness tells the supervisor; closed before the program starts."""
_ALL_FDS: Final = 256
_CPU_GRACE_SECONDS: Final = 2


def live(closing: SeccompFilter, base_bytes: int) -> None:
    """Wait for a request on ``REQUEST_FD``, carry it out, die. Never returns.

    Args:
        closing: What is still missing of ``seccomp/program.json``; the zygote has the rest.
        base_bytes: Address space that the zygote itself takes, on top of the run's own limit.
    """
    try:
        os.closerange(EVENTS_FD + 1, _ALL_FDS)
        request = read_request()
        set_environment(request)
        if script.asked_for(request):
            # A script has no result: what it says goes to stdout and stderr, like anybody's.
            os.close(RESULT_FD)
            script.prepare(request)
        set_limits(request, base_bytes)
        closing.install()
        os.close(EVENTS_FD)
    except BaseException as error:  # no way on from here but a clear death
        os.write(2, f"harness: {error!r}\n".encode(errors="replace"))
        os.write(EVENTS_FD, EVENT.pack(FAILED, 0, os.getpid(), 0, 0, 0))
        os._exit(1)
    if script.asked_for(request):
        status = 1
        try:
            status = script.run(request)
        finally:
            os._exit(status)
    try:
        # The program's SystemExit, its bare excepts and its atexit handlers all end below.
        send_result(program.run(request))
    finally:
        os._exit(0)


def read_request() -> dict[str, Any]:
    """Read this child's own request: here the child waits, parked, until it gets one."""
    (length,) = LENGTH.unpack(read_exactly(REQUEST_FD, LENGTH.size))
    # marshal, since it is the host that wrote this, and json would copy five times the pages.
    request: dict[str, Any] = marshal.loads(read_exactly(REQUEST_FD, length))  # noqa: S302
    os.close(REQUEST_FD)
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
    """Write the one result frame of this run; what it printed is out already, unbuffered."""
    write_all(RESULT_FD, LENGTH.pack(len(text)) + text.encode("ascii"))
