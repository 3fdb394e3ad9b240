"""One run under way, as the supervisor sees it: its clocks, its pipes, its end.

Two clocks limit a run. CPU time is read from the child's own CPU clock. Wall time counts only
while the child was not waiting for a processor (the second figure of ``/proc/PID/schedstat``), so
that a loaded machine makes a run slower and never makes it fail.
"""

import os
import signal
import time
from dataclasses import dataclass, field
from typing import Final

from . import frames
from .zygote_process import Lane

_SHORTEST_WAIT_S: Final = 0.002
_DOUBT_S: Final = 0.005
"""Pause before a second look at a run that is over its wall budget but may be waiting."""
_CHUNK: Final = 1 << 16


@dataclass
class Run:
    """One run under way: its limits and what it has produced so far."""

    run_id: int
    cpu_s: float
    wall_s: float
    result_cap: int
    stream_cap: int
    lane: Lane
    started: float = 0.0
    outputs: list[bytearray] = field(default_factory=lambda: [bytearray() for _ in range(3)])
    ending: int | None = None
    """Why the supervisor killed it; None while it has not."""
    struck: bool = False
    """Whether the signal was sent; it waits until the child has read its request."""
    doubt: tuple[float, tuple[int, ...]] | None = None
    """When the run was first seen over its wall budget while runnable, and its figures then."""

    def kill(self, ending: int) -> None:
        """Kill the child, once, and remember why; one that is dead already keeps the reason."""
        if self.ending is None:
            self.ending = ending
            self.strike()

    def strike(self) -> bool:
        """Send the signal if the child has read its request; return whether that is done.

        What a killed child left in the pipe would be read by the lane's next child, as its own.
        """
        if not self.struck and not self.lane.unread():
            self.struck = True
            if self.lane.pidfd >= 0:
                try:
                    signal.pidfd_send_signal(self.lane.pidfd, signal.SIGKILL)
                except ProcessLookupError:
                    pass  # it ended by itself a moment ago
        return self.struck

    def wall_used(self) -> float:
        """Return seconds since the start, less those spent waiting for a processor."""
        return time.monotonic() - self.started - self.waited()

    def waited(self) -> float:
        """Return seconds that the child was runnable but not running (0 where unknown)."""
        schedule = self.schedule()
        return 0.0 if schedule is None else schedule[1] / 1e9

    def schedule(self) -> tuple[int, ...] | None:
        """Return ns run, ns waited and the number of turns; None where the kernel says nothing."""
        try:
            with open(f"/proc/{self.lane.pid}/schedstat") as file:
                run, waited, turns = file.read().split()
            return int(run), int(waited), int(turns)
        except (OSError, ValueError):
            return None

    def state(self) -> str:
        """Return the child's state letter of proc(5), such as R or S; Z once it is dead."""
        try:
            with open(f"/proc/{self.lane.pid}/stat") as file:
                return file.read().rpartition(")")[2].split()[0]
        except (OSError, IndexError):
            return "Z"

    def cpu_used(self) -> float:
        """Return the child's CPU seconds, all threads together."""
        try:
            # The clock id of another process's CPU clock: see clock_getcpuclockid(3).
            return time.clock_gettime((~self.lane.pid << 3) | 2)
        except OSError:
            return 0.0

    def check_clocks(self) -> float:
        """Kill the run if it is past a limit; return the seconds until the next look."""
        cpu_left = self.cpu_s - self.cpu_used()
        if cpu_left <= 0:
            self.kill(frames.CPU_TIME)
            return 1.0
        wall_left = self.wall_s - self.wall_used()
        if wall_left <= 0:
            return self._over_wall(-wall_left)
        return max(min(cpu_left, wall_left), _SHORTEST_WAIT_S)

    def _over_wall(self, over: float) -> float:
        """Kill the run for its wall time, unless all of ``over`` may be a wait still going on.

        The kernel credits a wait for a processor when it ends. So one that runs or waits is looked
        at twice: if its figures moved in between, it had a processor after the first look, and only
        the time since then can be a wait that is not credited yet.
        """
        now, schedule, state = time.monotonic(), self.schedule(), self.state()
        if state in "ZX":
            return _DOUBT_S  # it ended in time; the zygote waits for a processor to say so
        if state == "R" and schedule is not None:
            before, self.doubt = self.doubt, (now, schedule)
            if before is None or over <= now - before[0]:
                return _DOUBT_S
            if schedule == before[1]:
                self.doubt = before
                return _DOUBT_S
        self.kill(frames.WALL_TIME)
        return 1.0

    def collect(self, *, dead: bool = False) -> None:
        """Take what is in the pipes; kill the run where it is over a cap.

        What is beyond a cap is read and thrown away: the lane's next run must find empty pipes.
        While the child lives each pipe is read once, since it could fill one faster than that.
        """
        for index, (descriptor, cap) in enumerate(self._caps()):
            output = self.outputs[index]
            more = True
            while more:
                try:
                    chunk = os.read(descriptor, _CHUNK)
                except BlockingIOError:
                    break
                output += chunk[: cap + 1 - len(output)]
                more = dead and len(chunk) == _CHUNK
            if len(output) > cap:
                self.kill_for_size(index)

    def kill_for_size(self, index: int) -> None:
        """Kill the run because output ``index`` (result, stdout, stderr) is over its cap."""
        if index < 2:
            self.kill(frames.RESULT_SIZE if index == 0 else frames.STREAM_SIZE)

    def end(self) -> None:
        """Do what is left to do once the child is dead and its pipes are drained."""

    def _caps(self) -> tuple[tuple[int, int], ...]:
        lane = self.lane
        return (
            (lane.result, self.result_cap),
            (lane.stdout, self.stream_cap),
            (lane.stderr, self.stream_cap),
        )
