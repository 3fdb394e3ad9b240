"""PID 1 of a sandbox: starts zygotes, hands out requests, watches the clocks, reports.

One request at a time. The supervisor reads the header of a request, moves the payload from stdin
into the lane of a parked child with splice(2) (it never enters this process), and then waits for
the zygote to say that the child is dead, or for a limit to pass.

A whole script is the same, from a zygote of its own kind (see ``script_run``); what the header
says of it, beside the limits, is which files are wanted back.
"""

import json
import os
import select
import signal
import sys
import time
from typing import Any, Final

from . import frames
from .frames import LENGTH, REPORT, REQUEST, read_exactly, write_all
from .kernel import PR_SET_DUMPABLE, prctl
from .script_run import ScriptRun
from .version import code_digest
from .watched_run import Run
from .zygote_process import Zygote

_FIRST_LOOK_MS: Final = 4
"""A run that ends sooner costs one wake-up; only later are its pipes watched and emptied."""
_UNREAD_MS: Final = 1
"""Pause before the next look whether a child that is to be killed has read its request."""


class Supervisor:
    """Serves requests from one byte stream until it ends."""

    def __init__(self, config: dict[str, Any], source: int = 0, sink: int = 1) -> None:
        self._config = config
        self._source = source
        self._sink = sink
        self._zygotes: dict[tuple[int, int, bool], Zygote] = {}
        """By variant, flavour, and whether whole scripts run in its children."""

    def hello(self) -> dict[str, Any]:
        """Start the zygotes that every sandbox needs; return what is true of this sandbox."""
        for variant in self._config["variants"]:
            self._zygotes[variant, 0, False] = Zygote(variant, 0, self._config)
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
            if kind not in (frames.KIND_RUN, frames.KIND_SCRIPT):
                continue  # a cancellation that came after the run's end
            scripts = kind == frames.KIND_SCRIPT
            terms = self._read_terms() if scripts else None
            zygote = self._zygotes.get((variant, flavour, scripts))
            if zygote is None:
                zygote = Zygote(variant, flavour, self._config, scripts=scripts)
                self._zygotes[variant, flavour, scripts] = zygote
            lane = zygote.parked_lane()
            limits = (run_id, cpu / 1e3, wall / 1e3, result_cap, stream_cap, lane)
            run = Run(*limits) if terms is None else ScriptRun(*limits, terms=terms)
            self._splice(lane.request, size)
            run.started = time.monotonic()
            ended = self._watch(run, zygote)
            if ended is None:
                return
            run.end()
            self._report(run, ended)

    def _read_terms(self) -> dict[str, Any]:
        """Read what stands between a script's header and its payload."""
        (length,) = LENGTH.unpack(read_exactly(self._source, LENGTH.size))
        terms: dict[str, Any] = json.loads(read_exactly(self._source, length))
        return terms

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
