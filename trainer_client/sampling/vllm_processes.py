"""`EngineProcesses`: the processes of an engine, and their certain end.

An engine is a process of this one with workers of its own. When it is killed, or when it does not
answer, nobody but us ends them, and they hold the device's memory.
"""

import multiprocessing
from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")
PATIENCE = 10.0
"""Seconds to end by themselves after having been told to."""


class EngineProcesses:
    """Processes that were started together."""

    def __init__(self, processes: list[Any]) -> None:
        """Take them, as `psutil.Process` objects: these know a process from its successor."""
        self._processes = processes

    @classmethod
    def of(cls, start: Callable[[], T]) -> "tuple[T, EngineProcesses]":
        """Start something, and return it with the processes that it consists of now."""
        import psutil  # noqa: PLC0415 - comes with vLLM

        before = {child.pid for child in multiprocessing.active_children()}
        started = start()
        found: list[Any] = []
        for child in multiprocessing.active_children():
            if child.pid not in before:
                root = psutil.Process(child.pid)
                found += [root, *root.children(recursive=True)]
        return started, cls(found)

    @property
    def alive(self) -> list[int]:
        """The process ids of those that still run."""
        return [each.pid for each in self._processes if each.is_running()]

    def end(self) -> None:
        """Wait for them to end, and kill those that do not. A second call does nothing."""
        if not self._processes:
            return
        import psutil  # noqa: PLC0415 - comes with vLLM

        _, left = psutil.wait_procs(self._processes, timeout=PATIENCE)
        for process in left:
            process.kill()
        psutil.wait_procs(left, timeout=PATIENCE)
        self._processes = []
