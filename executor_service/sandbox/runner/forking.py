"""The zygote's loop: a child into each free lane, and word of each one that dies.

Imported when the zygote's heap has been set in order (``fresh_memory``): what this module and those
that it imports consist of is written to, if only the reference counts, by every child.
"""

import marshal
import os
from typing import Final

from .child import live
from .descriptors import EVENTS_FD, FIRST_LANE_FD, REQUEST_FD, RESULT_FD
from .frames import ENDED, EVENT, LANES, PARKED
from .kernel import SeccompFilter
from .program import MODULE, run

_REHEARSAL: Final = """
def f(x):
    total = 0
    for i, item in enumerate(x):
        total += i
    return [total, str(total), {"a": (1, 2.5, None, True)}, {1}, x]
"""
_REHEARSALS: Final = 24


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
