"""PID 1 of a sandbox: starts zygotes, hands out requests, watches the clocks, reports.

One request at a time. The supervisor reads the header of a request, moves the payload from stdin
into the lane of a parked child with splice(2) (it never enters this process), and then waits for
the zygote to say that the child is dead, or for a limit to pass.

Two clocks limit a run. CPU time is read from the child's own CPU clock. Wall time counts only
while the child was not waiting for a processor (the second figure of ``/proc/PID/schedstat``), so
that a loaded machine makes a run slower and never makes it fail.
"""

import json
import os
import select
import signal
import sys
import time
from dataclasses import dataclass, field
from typing import Any, Final

from . import frames
from .frames import LENGTH, REPORT, REQUEST, read_exactly, write_all
from .kernel import PR_SET_DUMPABLE, prctl
from .version import code_digest
from .zygote_process import Lane, Zygote

_FIRST_LOOK_MS: Final = 4
"""A run that ends sooner costs one wake-up; only later are its pipes watched and emptied."""
_SHORTEST_WAIT_S: Final = 0.002
_DOUBT_S: Final = 0.005
"""Pause before a second look at a run that is over its wall budget but may be waiting."""
_CHUNK: Final = 1 << 16
_UNREAD_MS: Final = 1
"""Pause before the next look whether a child that is to be killed has read its request."""


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

    def _caps(self) -> tuple[tuple[int, int], ...]:
        lane = self.lane
        return (
            (lane.result, self.result_cap),
            (lane.stdout, self.stream_cap),
            (lane.stderr, self.stream_cap),
        )


class Supervisor:
    """Serves requests from one byte stream until it ends."""

    def __init__(self, config: dict[str, Any], source: int = 0, sink: int = 1) -> None:
        self._config = config
        self._source = source
        self._sink = sink
        self._zygotes: dict[tuple[int, int], Zygote] = {}

    def hello(self) -> dict[str, Any]:
        """Start the zygotes that every sandbox needs; return what is true of this sandbox."""
        for variant in self._config["variants"]:
            self._zygotes[variant, 0] = Zygote(variant, 0, self._config)
        zygotes = {str(key[0]): zygote.facts() for key, zygote in self._zygotes.items()}
        return {
            "runner": code_digest(),
            "python": sys.version.split()[0],
            "implementation": sys.implementation.name,
            "zygotes": zygotes,
            **process_facts(),
        }

    def serve(self) -> None:
        """Carry out requests until the host closes the stream."""
        while True:
            header = read_exactly(self._source, REQUEST.size)
            if len(header) < REQUEST.size:
                return
            kind, variant, flavour, run_id, cpu, wall, result_cap, stream_cap, size = (
                REQUEST.unpack(header)
            )
            if kind != frames.KIND_RUN:
                continue  # a cancellation that came after the run's end
            zygote = self._zygotes.get((variant, flavour))
            if zygote is None:
                zygote = Zygote(variant, flavour, self._config)
                self._zygotes[variant, flavour] = zygote
            lane = zygote.parked_lane()
            run = Run(run_id, cpu / 1e3, wall / 1e3, result_cap, stream_cap, lane)
            self._splice(lane.request, size)
            run.started = time.monotonic()
            ended = self._watch(run, zygote)
            if ended is None:
                return
            self._report(run, ended)

    def _splice(self, target: int, size: int) -> None:
        while size:
            moved = os.splice(self._source, target, size)
            if moved == 0:
                raise SystemExit(0)
            size -= moved

    def _watch(self, run: Run, zygote: Zygote) -> tuple[int, ...] | None:
        """Wait for the end of ``run``; return its ENDED event, or None when the host left."""
        poller = select.poll()
        poller.register(zygote.events, select.POLLIN)
        poller.register(self._source, select.POLLIN | select.POLLRDHUP)
        timeout_ms: float = _FIRST_LOOK_MS
        looking = False
        while True:
            ready = dict(poller.poll(timeout_ms))
            if self._source in ready and not self._listen(run):
                return None
            if zygote.events in ready:
                event = zygote.next_event()
                if event[0] == frames.FAILED and event[2] == run.lane.pid:
                    run.ending = frames.FAULT
                if event[0] == frames.ENDED and event[1] == run.lane.index:
                    run.collect(dead=True)
                    return event
                continue
            if not looking:
                looking = True
                for descriptor in (run.lane.result, run.lane.stdout, run.lane.stderr):
                    poller.register(descriptor, select.POLLIN)
            run.collect()
            timeout_ms = run.check_clocks() * 1000 + 1
            if run.ending is not None and not run.strike():
                timeout_ms = _UNREAD_MS

    def _listen(self, run: Run) -> bool:
        """Read what the host says during a run: a cancellation, or that it is gone."""
        header = read_exactly(self._source, REQUEST.size)
        if len(header) < REQUEST.size:
            return False
        kind, _, _, run_id = REQUEST.unpack(header)[:4]
        if kind == frames.KIND_CANCEL and run_id == run.run_id:
            run.kill(frames.CANCELLED)
        return True

    def _report(self, run: Run, event: tuple[int, ...]) -> None:
        wall = time.monotonic() - run.started
        status, peak_kb, cpu_us = event[3:6]
        forbidden = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGSYS
        if run.ending is not None and not forbidden:
            ending, code = run.ending, 0
        elif os.WIFSIGNALED(status):
            ending, code = frames.SIGNALED, os.WTERMSIG(status)
        else:
            ending, code = frames.EXITED, os.WEXITSTATUS(status)
        result, stdout, stderr = run.outputs
        del stdout[run.stream_cap :], stderr[run.stream_cap :]
        head = REPORT.pack(
            run.run_id, ending, code, cpu_us, int(wall * 1e6), 0, peak_kb,
            len(result), len(stdout), len(stderr),
        )  # fmt: skip
        write_all(self._sink, b"".join((head, result, stdout, stderr)))


def process_facts() -> dict[str, Any]:
    """Return what the kernel says of this process's confinement."""
    facts: dict[str, Any] = {"uid": os.getuid(), "pid": os.getpid()}
    with open("/proc/self/status") as file:
        for line in file:
            name, _, value = line.partition(":")
            if name in ("NoNewPrivs", "Seccomp", "CapEff", "CapBnd"):
                facts[name] = value.strip()
    # Two lines of headings, then one per interface; /sys is not there in every sandbox.
    with open("/proc/self/net/dev") as file:
        facts["network"] = sorted(line.partition(":")[0].strip() for line in list(file)[2:])
    return facts


def main() -> None:
    """Run a supervisor on stdin and stdout; entry point of the sandbox."""
    (length,) = LENGTH.unpack(read_exactly(0, LENGTH.size))
    config = json.loads(read_exactly(0, length))
    # The stream to the host must not leak to zygotes, and stray prints must not enter it.
    sink = os.dup(1)
    null = os.open("/dev/null", os.O_RDWR)
    os.dup2(2, 1)
    supervisor = Supervisor(config, source=0, sink=sink)
    facts = supervisor.hello()
    prctl(PR_SET_DUMPABLE, 0)
    os.close(null)
    data = json.dumps(facts).encode()
    write_all(sink, LENGTH.pack(len(data)) + data)
    supervisor.serve()
