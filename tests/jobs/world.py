"""Stores, runners and a verifier that does what programs say, for the tests of jobs."""

import asyncio
import contextlib
import json
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Callable
from typing import Any

import redis.asyncio
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from executor_service.dispatch.embedded import EmbeddedDispatcher
from executor_service.errors import InfrastructureError, RequestError
from executor_service.jobs.memory_store import MemoryJobStore
from executor_service.jobs.payload import pack_body
from executor_service.jobs.record import JobRecord, NewJob
from executor_service.jobs.redis_store import RedisJobStore
from executor_service.jobs.runner import JobRunner
from executor_service.jobs.store import JobStore
from executor_service.operations import AnyOperation
from executor_service.verifier.results import infrastructure_result

PATIENCE = 20.0


class Echo:
    """Answers with the program's text; some texts make trouble."""

    def __init__(self, pause: float = 0.0) -> None:
        self.pause = pause
        self.begun: Counter[str] = Counter()
        self.order: list[str] = []
        self.ended = 0

    async def carry_out(self, operation: AnyOperation) -> dict[str, Any]:
        text = operation.program
        self.begun[text] += 1
        self.order.append(text)
        await asyncio.sleep(60 if text.startswith("stuck") else self.pause)
        self.ended += 1
        if text.startswith("unacceptable"):
            raise RequestError("no", field="program")
        if text.startswith("defect"):
            raise ZeroDivisionError
        if text == "trouble twice" and self.begun[text] <= 2:
            return infrastructure_result(operation, "for now")
        if text == "trouble":
            return infrastructure_result(operation, "for good")
        return {"said": text}


def item(text: str) -> dict[str, Any]:
    return {"op": "execute", "program": text, "inputs": ["1"]}


def new_job(items: list[Any], owner: str = "anna", key: str | None = None) -> NewJob:
    body = json.dumps({"items": items}).encode()
    payload, total = pack_body(body, 100_000)
    return NewJob(owner, total, f"digest of {len(body)}", payload, key)


@contextlib.asynccontextmanager
async def redis_store(url: str, prefix: str, **options: Any) -> AsyncIterator[RedisJobStore]:
    client = redis.asyncio.Redis.from_url(
        url, retry=Retry(NoBackoff(), 0), socket_timeout=2.0, socket_connect_timeout=2.0
    )
    store = RedisJobStore(client, prefix, **{"result_ttl": 60.0} | options)
    try:
        yield store
    finally:
        await store.close()
        await client.aclose()


class Kind:
    """A kind of store, and a way to make a fresh one."""

    def __init__(self, url: str | None) -> None:
        self.url = url

    @contextlib.asynccontextmanager
    async def store(self, **options: Any) -> AsyncIterator[JobStore]:
        """A store that nothing else uses, started."""
        async with contextlib.AsyncExitStack() as stack:
            store: JobStore
            if self.url is None:
                store = MemoryJobStore(**{"result_ttl": 60.0, "max_bytes": 1 << 30} | options)
            else:
                prefix = f"test-{uuid.uuid4().hex[:8]}"
                store = await stack.enter_async_context(redis_store(self.url, prefix, **options))
            await store.start()
            yield store

    @contextlib.asynccontextmanager
    async def running(
        self, verifier: Echo, *, concurrency: int = 8, room: int = 4096, **options: Any
    ) -> AsyncIterator[JobRunner]:
        """A runner with a store of its own and a real dispatcher for ``verifier``."""
        async with (
            self.store(**options) as store,
            running(store, verifier, concurrency=concurrency, room=room) as runner,
        ):
            yield runner


@contextlib.asynccontextmanager
async def running(
    store: JobStore, verifier: Echo, *, concurrency: int = 8, room: int = 4096
) -> AsyncIterator[JobRunner]:
    dispatcher = EmbeddedDispatcher(verifier, concurrency=concurrency, queue_size=16_384)
    runner = JobRunner(store, dispatcher, room=room)
    await runner.start()
    try:
        yield runner
    finally:
        await runner.close()
        await dispatcher.close()


async def ended(store: JobStore, job_id: str, patience: float = PATIENCE) -> JobRecord:
    """Wait for a job's end, store outages included."""
    async with asyncio.timeout(patience):
        while True:
            with contextlib.suppress(InfrastructureError):
                record = await store.find(job_id)
                assert record is not None, "the job has gone"
                if record.state.ended:
                    return record
            await asyncio.sleep(0.02)


async def until(condition: Callable[[], Any], patience: float = PATIENCE) -> None:
    async with asyncio.timeout(patience):
        while True:
            said = condition()
            if said if isinstance(said, bool) else await said:
                return
            await asyncio.sleep(0.01)


async def results_of(store: JobStore, record: JobRecord) -> list[Any]:
    texts = await store.results(record.id, 0, record.total)
    return [None if text is None else json.loads(text) for text in texts]
