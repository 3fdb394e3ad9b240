"""Sandboxes that are made up, and programs for them: what the cache asks of them is counted."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from executor_service.cache.cached_runs import CachedRuns
from executor_service.cache.store import MemoryStore, Store
from executor_service.sandbox.runs import RunError, RunRequest, RunResult, Usage
from executor_service.typed.literals import parse_literal

SURROUNDINGS = b"s" * 32
PLAIN = RunRequest("def f(x):\n    return x", "f")
HASHED = RunRequest("def f(x):\n    return list(set(x))", "f")
Program = Callable[[RunRequest, int], Any]


def result(text: str, **fields: Any) -> RunResult:
    """Return a run that gave the value of a literal."""
    return RunResult("ok", (parse_literal(text),), **fields)


def raised(message: str, kind: str = "ValueError") -> RunResult:
    """Return a run whose program raised."""
    return RunResult("runtime_error", error=RunError(kind, message, 3))


class World:
    """A program is a function of the request and of the number of the run."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.requests: list[RunRequest] = []
        self.gate = asyncio.Event()
        self.gate.set()

    @property
    def runs(self) -> int:
        """Return how many runs were carried out."""
        return len(self.requests)

    async def run(self, request: RunRequest) -> RunResult:
        """Carry out one run."""
        self.requests.append(request)
        number = self.runs
        await self.gate.wait()
        found = self.program(request, number)
        if isinstance(found, BaseException):
            raise found
        if not isinstance(found, RunResult):
            found = result(repr(found))
        usage = Usage(1.5 * number, 2.0, 10)
        return replace(found, values=found.values * request.calls, usage=usage)

    async def run_sequence(
        self, requests: Sequence[RunRequest], *, past_errors: bool = False
    ) -> list[RunResult]:
        """Carry out runs, up to the first that is not ok."""
        results: list[RunResult] = []
        for request in requests:
            results.append(await self.run(request))
            if results[-1].status != "ok" and not (
                past_errors and results[-1].status == "runtime_error"
            ):
                break
        return results


def cached(program: Program, store: Store | None = None) -> tuple[CachedRuns, World]:
    """Return a cache and what it asks."""
    world = World(program)
    store = MemoryStore(1 << 20, ttl=1000) if store is None else store
    return CachedRuns(world, store, lambda: SURROUNDINGS), world
