"""Closing a pool: what is starting is stopped, and what is ending is let end."""

import asyncio

import pytest

from executor_service.errors import InfrastructureError, SandboxDied, SandboxStartError
from executor_service.sandbox.pool import Pool, PoolOptions
from executor_service.sandbox.runner.version import code_digest
from executor_service.sandbox.runs import RunRequest

REQUEST = RunRequest("def f(): pass", "f")


class Stream:
    """Says hello and dies in the first run."""

    runner = code_digest()

    def __init__(self):
        self.closed = asyncio.get_running_loop().create_future()

    async def greet(self, config):
        return {"pid": 1, "runner": self.runner}

    async def run(self, request):
        raise SandboxDied("made up")


class Sandbox:
    """Takes its time to end, and notes when it has."""

    def __init__(self, ended):
        self.stream = Stream()
        self._ended = ended

    async def kill(self):
        await asyncio.sleep(0.05)
        self._ended.append(self)

    def last_words(self):
        return ""


class Backend:
    """Starts as many sandboxes as it is told to, and then hangs."""

    name = "made up"

    def __init__(self, starts):
        self.starts = starts
        self.started = []
        self.ended = []
        self.cancelled = 0

    async def launch(self):
        if len(self.started) == self.starts:
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                self.cancelled += 1
                raise
        self.started.append(Sandbox(self.ended))
        return self.started[-1]

    async def sweep(self):
        return 0


def test_a_pool_is_closed_when_every_sandbox_has_ended_and_no_start_is_left():
    async def go():
        backend = Backend(3)
        pool = Pool(backend, {}, PoolOptions(3, 10, 5.0, 5.0))
        await pool.start()
        with pytest.raises(SandboxDied):
            await pool.run(REQUEST)
        # All sandboxes are being ended now, and as many new ones hang while they start.
        assert backend.ended == []
        assert pool.warm == 0
        await asyncio.sleep(0.01)
        async with asyncio.timeout(5):
            await pool.close()
        return backend

    backend = asyncio.run(go())
    assert backend.ended == backend.started
    assert backend.cancelled == 3


def test_whoever_waits_for_a_sandbox_when_the_pool_closes_is_told_so():
    async def go():
        pool = Pool(Backend(1), {}, PoolOptions(1, 10, 5.0, 5.0))
        await pool.start()
        # Its first sandbox dies; it waits for another, which never starts.
        waiting = asyncio.ensure_future(pool.run(REQUEST))
        await asyncio.sleep(0.01)
        await pool.close()
        with pytest.raises(InfrastructureError, match="shutting down"):
            await waiting
        with pytest.raises(InfrastructureError, match="shutting down"):
            await pool.run(REQUEST)

    asyncio.run(go())


def test_a_sandbox_with_another_runner_is_refused_and_ended(monkeypatch):
    monkeypatch.setattr(Stream, "runner", "an older one")

    async def go():
        backend = Backend(1)
        pool = Pool(backend, {}, PoolOptions(1, 10, 5.0, 5.0))
        with pytest.raises(SandboxStartError, match="make runner-image"):
            await pool.start()
        assert backend.ended == backend.started

    asyncio.run(go())
