"""A worker's runtime before a real Redis, with a verifier that does as the test says."""

import asyncio
import contextlib
import itertools
import json
from collections.abc import AsyncIterator, Callable
from types import SimpleNamespace
from typing import Any

from executor_service.dispatch.embedded import EmbeddedDispatcher
from executor_service.operations import AnyOperation
from executor_service.queue.connection import async_client
from executor_service.queue.keys import Keys
from executor_service.settings import Settings
from executor_service.worker.runtime import Runtime
from redis_server import RedisServer

_UNIQUE = itertools.count()
API = "api"
PATIENCE = 15.0
"""Seconds after which a test gives up."""


class ScriptedVerifier:
    """Answers as the program says: its text; many bytes; or only when the gate opens."""

    def __init__(self) -> None:
        self.gate = asyncio.Event()
        self.begun: list[str] = []
        self.cancelled = 0

    async def carry_out(self, operation: AnyOperation) -> dict[str, Any]:
        """Return the result of a program."""
        self.begun.append(operation.program)
        if operation.program.startswith("wait"):
            try:
                await self.gate.wait()
            except asyncio.CancelledError:
                self.cancelled += 1
                raise
        if operation.program.startswith("bytes"):
            return {"said": "x" * int(operation.program.split()[1])}
        return {"said": operation.program}


class World:
    """A runtime and what surrounds it."""

    def __init__(self, runtime: Runtime, verifier: ScriptedVerifier) -> None:
        self.runtime = runtime
        self.verifier = verifier
        self.client = runtime.client
        self.stream = runtime.keys.replies(API)

    def deliver(self, payload: str) -> "asyncio.Future[None]":
        """Carry out a payload as one of RQ's threads would."""
        return asyncio.get_running_loop().run_in_executor(None, self.runtime.carry_out, payload)

    async def messages(self, stream: str | None = None) -> list[Any]:
        """Return all messages in the reply stream, in order."""
        entries: Any = await self.client.xrange(stream or self.stream)
        return [message for _, fields in entries for message in json.loads(fields[b"m"])]

    async def until(self, condition: Callable[[], Any]) -> None:
        """Wait for ``condition``."""
        async with asyncio.timeout(PATIENCE):
            while not condition():
                await asyncio.sleep(0.01)


def payload(chunk: str, *programs: str, api: str = API) -> str:
    """Return a chunk of one execute operation per program."""
    operations = [["execute", {"program": text, "inputs": ["1"]}] for text in programs]
    return json.dumps(
        {"api": api, "chunk": chunk, "attempt": 1, "requests": ["request-1"],
         "operations": operations}
    )  # fmt: skip


@contextlib.asynccontextmanager
async def world(server: RedisServer, **settings: Any) -> AsyncIterator[World]:
    """Make a runtime with names of its own in Redis, for an API that is alive."""
    name = f"w{next(_UNIQUE)}"
    client = async_client(server.url)
    verifier = ScriptedVerifier()
    dispatcher = EmbeddedDispatcher(verifier, concurrency=8, queue_size=100)
    service: Any = SimpleNamespace(
        settings=Settings(**{"worker_ttl": 1.0, **settings}),
        dispatcher=dispatcher,
        pool=SimpleNamespace(warm=1),
    )
    runtime = Runtime(service, client, Keys(name), name)
    await client.set(runtime.keys.api(API), "1")
    try:
        yield World(runtime, verifier)
    finally:
        await dispatcher.close()
        await runtime.publisher.close()
        await client.aclose()
