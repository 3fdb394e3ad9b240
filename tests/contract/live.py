"""A running service for plain test functions, and a look at its processes from outside."""

import asyncio
import os
import threading
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from executor_service.operations import parse_operation
from executor_service.sandbox.pool import Sandbox
from executor_service.sandbox.runs import Limits, RunRequest, RunResult
from executor_service.service import running_service
from executor_service.settings import Settings

PATIENCE = 60.0
"""Seconds after which a test gives up; no behaviour depends on it."""


class LiveService:
    """A service on an event loop in a thread of its own; every method waits for its answer.

    The thread lives as long as the service: bubblewrap dies with the thread that started it.
    """

    def __init__(self, settings: Settings) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._context = running_service(settings)
        try:
            self.service = self.wait(self._context.__aenter__())
        except BaseException:
            self._end_loop()
            raise
        self.settings = settings
        self.pool = self.service.pool

    def wait(self, coroutine: Coroutine[Any, Any, Any], timeout: float = PATIENCE) -> Any:
        """Run ``coroutine`` on the service's loop and return its result."""
        return self.start(coroutine).result(timeout)

    def start(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        """Start ``coroutine`` on the service's loop and return a ``concurrent.futures.Future``."""
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop)

    def carry_out(self, name: str, body: dict[str, Any]) -> dict[str, Any]:
        """Carry out one operation of the contract: execute, validate or verify."""
        result = self.wait(self.service.verifier.carry_out(parse_operation(name, body)))
        assert isinstance(result, dict)
        return result

    def run(self, request: RunRequest) -> RunResult:
        """Carry out one run in any of the sandboxes."""
        result = self.wait(self.pool.run(request))
        assert isinstance(result, RunResult)
        return result

    def sequence(self, *requests: RunRequest) -> list[RunResult]:
        """Carry out runs one after another in the same sandbox, up to the first not ok."""
        results = self.wait(self.pool.run_sequence(requests))
        assert isinstance(results, list)
        return results

    def settle(self) -> None:
        """Wait until every sandbox is there and free, and whatever was to be killed is dead."""
        until(
            lambda: (
                self.pool.warm == self.pool.slots
                and self.pool.busy == 0
                and not (self.pool._starting or self.pool._ending)
            ),
            "the pool to come to rest",
        )

    def sandboxes(self) -> list[Sandbox]:
        """Return the sandboxes that are there now."""
        return list(self.pool._all)

    def close(self) -> None:
        """End the service and its loop."""
        try:
            self.wait(self._context.__aexit__(None, None, None))
        finally:
            self._end_loop()

    def _end_loop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.run_until_complete(self._loop.shutdown_default_executor())
        self._loop.close()


def until(condition: Callable[[], bool], what: str, seconds: float = 20.0) -> None:
    """Wait for ``condition``; fail after ``seconds``."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"waited {seconds} s in vain for {what}"
        time.sleep(0.01)


def request(source: str, arguments: str = "", **fields: Any) -> RunRequest:
    """Return a request for ``f(arguments)``; limits are given by their own names."""
    limits = {name: fields.pop(name) for name in Limits.__slots__ if name in fields}
    fields.setdefault("expression", arguments)
    return RunRequest(source, fields.pop("entry_point", "f"), limits=Limits(**limits), **fields)


@dataclass(frozen=True)
class Process:
    """A process as the host sees it."""

    pid: int
    parent: int
    threads: int


def processes(sandbox: Sandbox, everyone: list[Process] | None = None) -> list[Process]:
    """Return all processes of a sandbox, the supervisor first; bwrap itself is left out.

    ``everyone`` is what ``host_processes`` returned, to save another look.
    """
    launched: Any = sandbox.launched
    if hasattr(launched, "_container"):
        top = launched._container.top(ps_args="-eo pid,ppid,nlwp")
        found = [Process(*map(int, row)) for row in top["Processes"]]
        inside = {process.pid for process in found}
        return sorted(found, key=lambda process: process.parent in inside)
    everyone = host_processes() if everyone is None else everyone
    found, level = [], [launched._process.pid]
    while level:
        level = [process.pid for process in everyone if process.parent in level]
        found += [process for process in everyone if process.pid in level]
    return found


def main_process(sandbox: Sandbox) -> int:
    """Return the pid, on this host, of the process whose death is the sandbox's."""
    launched: Any = sandbox.launched
    if hasattr(launched, "_process"):
        return int(launched._process.pid)
    launched._container.reload()
    return int(launched._container.attrs["State"]["Pid"])


def host_children(pid: int, name: str) -> list[int]:
    """Return the pids of the processes called ``name`` whose parent is ``pid``."""
    return [
        process.pid
        for process in host_processes()
        if process.parent == pid and _name(process.pid) == name
    ]


def host_processes() -> list[Process]:
    """Return all processes of this host that are not dead."""
    found = []
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            fields = Path(f"/proc/{entry}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if fields[0] not in "ZX":
            found.append(Process(int(entry), int(fields[1]), int(fields[17])))
    return found


def _name(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""
