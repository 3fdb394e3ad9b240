"""The supervisor's side of a zygote: its process, its lanes, its events."""

import json
import os
import sys
from collections import deque
from dataclasses import dataclass
from typing import Any, Final

from . import frames
from .child import EVENTS_FD
from .frames import EVENT, LANES, LENGTH, read_exactly, write_all
from .variants import CLOCK_SHIFT_SECONDS, FAKETIME_LIBRARIES, VARIANTS
from .zygote import FIRST_LANE_FD, SETUP_FD

_BOOT: Final = (
    "import sys; sys.path.insert(0, sys.argv[1]); "
    "from runner.zygote import main; sys.path.pop(0); main()"
)
_HIGH_FD: Final = 100
"""The supervisor's ends live above the numbers that a zygote's ends are moved to."""


class ZygoteDied(Exception):
    """A zygote ended; its sandbox is of no more use."""


@dataclass
class Lane:
    """The supervisor's ends of one lane's pipes, and the child that is parked or runs in it."""

    index: int
    request: int
    result: int
    stdout: int
    stderr: int
    pid: int = 0
    pidfd: int = -1

    def unread(self) -> int:
        """Return how many bytes of a request the child has not read yet."""
        import fcntl
        import termios

        answer = fcntl.ioctl(self.request, termios.FIONREAD, bytes(4))
        return int.from_bytes(answer, sys.byteorder)


class Zygote:
    """A running zygote."""

    def __init__(
        self, variant: int, flavour: int, config: dict[str, Any], *, scripts: bool = False
    ) -> None:
        """Start one; with ``scripts`` its children run whole scripts, in a scratch directory."""
        self.lanes: list[Lane] = []
        self._parked: deque[Lane] = deque()
        self._facts: dict[str, Any] | None = None
        theirs = [os.open("/dev/null", os.O_RDWR)]
        actions = [(os.POSIX_SPAWN_DUP2, theirs[0], 0), (os.POSIX_SPAWN_DUP2, theirs[0], 1)]

        def give(descriptor: int, number: int) -> None:
            theirs.append(descriptor)
            actions.append((os.POSIX_SPAWN_DUP2, descriptor, number))

        self.events, events = _pipe(reads_here=True)
        give(events, EVENTS_FD)
        setup_end, setup = _pipe(reads_here=False)
        give(setup, SETUP_FD)
        for index in range(LANES):
            ends = [_pipe(reads_here=False)] + [_pipe(reads_here=True) for _ in range(3)]
            for offset, (_, descriptor) in enumerate(ends):
                give(descriptor, FIRST_LANE_FD + 4 * index + offset)
            self.lanes.append(Lane(index, *[ours for ours, _ in ends]))
            for ours, _ in ends[1:]:
                os.set_blocking(ours, False)
        self.pid = os.posix_spawn(
            sys.executable,
            _command(scripts),
            environment(variant, flavour, scripts=scripts),
            file_actions=actions,
        )
        for descriptor in theirs:
            os.close(descriptor)
        filters = config["script_filters" if scripts else "filters"]
        request = {"filters": filters, "flavour": flavour, "scripts": scripts}
        write_all(setup_end, json.dumps(request).encode())
        os.close(setup_end)

    def facts(self) -> dict[str, Any]:
        """Wait until the zygote is ready; return what it says of itself."""
        if self._facts is None:
            head = read_exactly(self.events, LENGTH.size)
            if len(head) < LENGTH.size:
                raise ZygoteDied("a zygote ended before it was ready")
            self._facts = json.loads(read_exactly(self.events, LENGTH.unpack(head)[0]))
        return self._facts

    def next_event(self) -> tuple[int, ...]:
        """Wait for the zygote's next event and take note of it."""
        data = read_exactly(self.events, EVENT.size)
        if len(data) < EVENT.size:
            raise ZygoteDied("a zygote ended")
        event = EVENT.unpack(data)
        if event[0] == frames.FAILED:
            return event
        lane = self.lanes[event[1]]
        if event[0] == frames.PARKED:
            lane.pid = event[2]
            # The zygote reaps a child only when it is dead, and a parked one is not: no reuse.
            try:
                lane.pidfd = os.pidfd_open(lane.pid)
            except ProcessLookupError:
                lane.pidfd = -1  # dead already (the OOM killer); its end is the next event
            self._parked.append(lane)
        else:
            if lane.pidfd >= 0:
                os.close(lane.pidfd)
                lane.pidfd = -1
            if lane in self._parked:  # killed while it waited, by the OOM killer
                self._parked.remove(lane)
        return event

    def parked_lane(self) -> Lane:
        """Wait for a parked child; return its lane, which is then in use."""
        self.facts()
        while not self._parked:
            self.next_event()
        return self._parked.popleft()


def _pipe(*, reads_here: bool) -> tuple[int, int]:
    """Return a pipe's (our end, the zygote's end), both close-on-exec and out of the way."""
    import fcntl  # the zygote imports this module for its numbers alone

    ends = []
    for descriptor in os.pipe():
        ends.append(fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, _HIGH_FD))
        os.close(descriptor)
    reading, writing = ends
    return (reading, writing) if reads_here else (writing, reading)


def _command(scripts: bool) -> list[str]:
    folder = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    # Unbuffered, so that what a killed program has printed is not lost; a script's output is
    # buffered as python3 does it. Not -I and not -E: the hash seed is set through the environment,
    # which is made here.
    return [
        sys.executable, *(() if scripts else ("-u",)), "-s", "-S", "-P", "-B",
        "-X", "no_debug_ranges", "-c", _BOOT, folder,
    ]  # fmt: skip


def environment(variant: int, flavour: int, *, scripts: bool = False) -> dict[str, str]:
    """Return the whole environment of a zygote."""
    chosen = VARIANTS[variant]
    result = dict(chosen.environment)
    result |= {
        "PYTHONHASHSEED": str(chosen.hash_seed),
        "MALLOC_ARENA_MAX": "1",
        # Symbols bound at start are not bound again, by writing, in every child.
        "LD_BIND_NOW": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "OMP_NUM_THREADS": "1",
        "MKL_NUM_THREADS": "1",
    }
    if not scripts:  # which see the encodings that python3 has in this locale
        result["PYTHONIOENCODING"] = "utf-8:backslashreplace"
    library = next((path for path in FAKETIME_LIBRARIES if os.path.exists(path)), None)
    if chosen.shift_clock and library is not None:
        result |= {
            "LD_PRELOAD": library,
            "FAKETIME": f"+{CLOCK_SHIFT_SECONDS}",
            "FAKETIME_DISABLE_SHM": "1",
            # Read again at each call, so that a run can be given a clock of its own.
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }
    return result
