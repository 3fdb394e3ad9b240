"""`EngineProcesses`: an engine's processes, calls that end when they do, and their certain end.

An engine is a process of this one with workers of its own. When it is killed, or does not answer,
nobody but us ends the rest of it, which holds the device's memory. And vLLM waits for ever for the
answer to a call that an engine died over.
"""

import multiprocessing
from collections.abc import Callable
from concurrent.futures import Future, wait
from multiprocessing.process import BaseProcess
from threading import Thread
from typing import Any, TypeVar

from trainer_client.errors import SamplerCrashed

T = TypeVar("T")
LOOK_SECONDS = 0.5
"""How often it is looked whether the engine that is waited for still lives."""
PATIENCE = 10.0
"""Seconds to end by themselves after having been told to, and for vLLM to notice a death."""


class EngineProcesses:
    """Processes that were started together."""

    def __init__(self, roots: list[BaseProcess], all_of_them: list[Any]) -> None:
        """Take them.

        Args:
            roots: children of this process.
            all_of_them: with their descendants, as `psutil.Process` objects: these know a process
                from its successor of the same number.
        """
        self._roots = roots
        self._processes = all_of_them

    @classmethod
    def of(cls, start: Callable[[], T]) -> "tuple[T, EngineProcesses]":
        """Start something, and return it with the processes that it consists of now."""
        import psutil  # noqa: PLC0415 - comes with vLLM

        before = {child.pid for child in multiprocessing.active_children()}
        started = start()
        roots = [each for each in multiprocessing.active_children() if each.pid not in before]
        found: list[Any] = []
        for child in roots:
            root = psutil.Process(child.pid)
            found += [root, *root.children(recursive=True)]
        return started, cls(roots, found)

    @property
    def alive(self) -> list[int]:
        """The process ids of those that still run, this process's children first."""
        return [each.pid for each in self._processes if each.is_running()]

    def call(self, ask: Callable[[], T]) -> T:
        """Call something that the engine answers.

        Raises:
            SamplerCrashed: the engine ended meanwhile.
        """
        answer: Future[T] = Future()

        def run() -> None:
            try:
                answer.set_result(ask())
            except BaseException as error:
                answer.set_exception(error)

        # A daemon: one that waits for a dead engine must not keep this process from ending.
        Thread(target=run, name="vllm-call", daemon=True).start()
        while not wait([answer], LOOK_SECONDS).done:
            if not all(root.is_alive() for root in self._roots):
                if wait([answer], PATIENCE).done:
                    break
                raise SamplerCrashed("the engine's process is gone")
        return answer.result()

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
