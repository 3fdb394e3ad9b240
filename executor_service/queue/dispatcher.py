"""The dispatcher of an API whose sandboxes are workers behind a queue.

What comes in waits in this process's backlog and goes out, in fair turns, only as fast as the
workers take it: the queue in Redis stays short, so a single call does not wait behind a thousand
others, and what nobody wants any more mostly never leaves. Results come back on one stream per
API process, which one task reads: no polling, and no thread or connection per request.
"""

import asyncio
import contextlib
import logging
import time
import uuid
from collections.abc import AsyncGenerator, Coroutine, Sequence
from typing import Any, Final

import redis

from executor_service.dispatch.backlog import Backlog, Place, Ticket
from executor_service.dispatch.submission import Submission
from executor_service.errors import InfrastructureError
from executor_service.queue.census import Census
from executor_service.queue.chunks import RESULT, STARTED, Chunk, Message, cut, from_wire
from executor_service.queue.connection import async_client, blocking_client
from executor_service.queue.keys import Keys
from executor_service.queue.ledger import Ledger
from executor_service.queue.replies import Replies
from executor_service.queue.sender import Sender
from executor_service.queue.tasks import end_tasks
from executor_service.settings import Settings

log = logging.getLogger(__name__)

_ALIVE_S: Final = 15
"""Seconds after which an API process that is silent counts as dead, and its chunks as unwanted."""
_LOOK_S: Final = 1.0
_METRICS_S: Final = 5.0
"""Seconds between two looks at what the workers have counted."""
_CHUNKS: Final = 4
"""Chunks that may be out at least; a quarter of what may be out is refilled at a time."""
_PER_SLOT: Final = 16
"""Operations that may be out for each sandbox: enough to never leave one idle."""


class QueueDispatcher:
    """Carries operations out on the workers of a queue."""

    def __init__(self, settings: Settings) -> None:
        assert settings.redis_url is not None
        self.name = uuid.uuid4().hex[:12]
        self.keys = Keys(settings.queue_name)
        self.backlog = Backlog(settings.queue_size, settings.queue_bytes)
        self.ledger = Ledger(self.backlog, unheard=settings.worker_ttl)
        self.client = async_client(settings.redis_url)
        self.census = Census(self.client, self.keys)
        self._settings = settings
        self._sender = Sender(blocking_client(settings.redis_url), self.keys, self.name)
        self._replies = Replies(settings.redis_url, self.keys.replies(self.name))
        self._wake = asyncio.Event()
        self._again: list[Chunk] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._errands: set[asyncio.Task[None]] = set()
        self._down_since: float | None = time.monotonic()
        self._trust_from = 0.0
        self._metrics_at = 0.0

    async def start(self) -> None:
        """Begin to serve; Redis and the workers may come later."""
        for coroutine in (self._pump(), self._replies.listen(self._message), self._keep_watch()):
            self._tasks.append(asyncio.get_running_loop().create_task(coroutine))

    async def close(self) -> None:
        """Stop; what is out is given up."""
        await end_tasks((*self._tasks, *self._errands))
        with contextlib.suppress(redis.RedisError, OSError):
            await self._give_up_chunks([chunk.id for chunk in self.ledger])
            await self.client.delete(self.keys.api(self.name), self.keys.replies(self.name))
        await self._replies.close()
        await self.client.aclose()
        await asyncio.to_thread(self._sender.close)

    def queued(self) -> int:
        """Return how many operations wait or run."""
        return self.backlog.held

    @property
    def connected(self) -> bool:
        """Tell whether Redis could be reached at the last try."""
        return self._down_since is None

    def trouble(self) -> str | None:
        """Return why nothing can be carried out now, or None."""
        if self._down_since is not None:
            return "Redis cannot be reached"
        if not self.census.slots:
            return "no worker is alive"
        if not any(worker.get("warm") for worker in self.census.workers.values()):
            return "no worker has a running sandbox"
        return None

    async def submit(self, submission: Submission) -> AsyncGenerator[tuple[int, Any], None]:
        """Carry out the operations; yield (index, result or RequestError) as they finish."""
        if self._down_since is not None:
            raise InfrastructureError("the job queue cannot be reached")
        if self._deserted():
            raise InfrastructureError("no worker has been alive for some time")
        ticket = self.backlog.admit(submission)
        self._wake.set()
        try:
            for _ in range(len(submission.operations)):
                yield await ticket.results.get()
        finally:
            unfinished = bool(ticket.open)
            self.backlog.abandon(ticket)
            if unfinished:
                self._call_off(ticket)

    def _deserted(self) -> bool:
        return self.census.absent_seconds > self._settings.outage_patience

    def _call_off(self, ticket: Ticket) -> None:
        """Have the workers give up what was out for a client that has left."""
        chunks = [
            chunk
            for chunk in self.ledger
            if not chunk.wanted and any(place.ticket is ticket for place in chunk.places)
        ]
        for chunk in chunks:
            self.ledger.remove(chunk)
        self._wake.set()
        if chunks:
            self._errand(self._give_up_chunks([chunk.id for chunk in chunks]))

    async def _give_up_chunks(self, ids: Sequence[str]) -> None:
        if not ids:
            return
        pipeline = self.client.pipeline(transaction=False)
        for chunk_id in ids:
            pipeline.lrem(self.keys.queue_list, 0, chunk_id)
        pipeline.delete(*[f"rq:job:{chunk_id}" for chunk_id in ids])
        pipeline.publish(self.keys.control, " ".join(ids))
        with contextlib.suppress(redis.RedisError):
            await pipeline.execute()

    def _errand(self, coroutine: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(coroutine)
        self._errands.add(task)
        task.add_done_callback(self._errands.discard)

    # Outward: from the backlog into the queue.

    async def _pump(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            while chunks := self._next_chunks():
                await self._send(chunks)

    def _next_chunks(self) -> list[Chunk]:
        again, self._again = self._again, []
        if again:
            return again
        if self._deserted():
            self.ledger.give_up(self._take(self.backlog.waiting), "no worker is alive")
            return []
        size = self._settings.chunk_size
        window = max(_CHUNKS * size, _PER_SLOT * self.census.slots)
        room = window - self.ledger.operations
        # Not refilled one by one as results come in, which would make chunks of one.
        if room < min(self.backlog.waiting, max(size, window // _CHUNKS)):
            return []
        idle = self.ledger.operations < window // _CHUNKS
        return cut(self._take(room), size, spread=len(self.census.workers) if idle else 0)

    def _take(self, most: int) -> list[Place]:
        places: list[Place] = []
        while len(places) < most and (place := self.backlog.take()) is not None:
            places.append(place)
        return places

    async def _send(self, chunks: list[Chunk]) -> None:
        for chunk in chunks:
            self.ledger.add(chunk)  # before it is sent: the answer may be quicker than the return
        while chunks:
            try:
                await self._sender.send(chunks)
            except redis.RedisError as error:
                self._down(error)
                await asyncio.sleep(_LOOK_S / 2)
                chunks = self._still_wanted(chunks)
                continue
            now = time.monotonic()
            for chunk in chunks:
                chunk.sent = now
            return

    def _still_wanted(self, chunks: list[Chunk]) -> list[Chunk]:
        """Drop chunks whose clients left, and give up those that have waited long enough."""
        kept = []
        for chunk in chunks:
            if chunk.wanted and time.monotonic() - chunk.created < self._settings.outage_patience:
                kept.append(chunk)
                continue
            self.ledger.remove(chunk)
            self.ledger.give_up(chunk.places, "the job queue could not be reached")
        return kept

    # Inward: from the reply stream to whoever waits.

    def _message(self, message: Message) -> None:
        kind, chunk_id, first, *rest = message
        if kind == STARTED:
            self.ledger.started(chunk_id, first)
        elif kind == RESULT:
            self.ledger.result(chunk_id, first, from_wire(rest[0]))
            self._wake.set()

    # The watch: heartbeats, and chunks that do not come back.

    async def _keep_watch(self) -> None:
        while True:
            try:
                await self._look()
            except redis.RedisError as error:
                self._down(error)
            except Exception:
                log.exception("looking after the queue failed")
            self._wake.set()
            await asyncio.sleep(_LOOK_S)

    async def _look(self) -> None:
        await self.client.set(self.keys.api(self.name), "1", ex=_ALIVE_S)
        await self.client.expire(self.keys.replies(self.name), 4 * _ALIVE_S)
        await self.census.refresh()
        self._up()
        if time.monotonic() >= self._metrics_at:
            self._metrics_at = time.monotonic() + _METRICS_S
            await self.census.refresh_metrics()
        if time.monotonic() >= self._trust_from:
            await self._recover()

    async def _recover(self) -> None:
        """Send again what is lost; answer what has waited long enough for any worker at all."""
        lost = self.ledger.lost(self.census.workers)
        if unseen := self.ledger.unseen():
            pipeline = self.client.pipeline(transaction=False)
            for chunk in unseen:
                pipeline.lpos(self.keys.queue_list, chunk.id)
            places = await pipeline.execute()
            for chunk, place in zip(unseen, places, strict=True):
                if chunk.worker is None and self.ledger.absent(chunk, queued=place is not None):
                    lost.append(chunk)
        for chunk in lost:
            log.warning(
                "chunk %s is lost (worker %s, attempt %d)", chunk.id, chunk.worker, chunk.attempt
            )
            self._again += self.ledger.again(chunk)
        if self._deserted():
            self._desert()

    def _desert(self) -> None:
        for chunk in self.ledger:
            self.ledger.remove(chunk)
            self.ledger.give_up(chunk.places, "no worker is alive")

    def _down(self, error: Exception) -> None:
        if self._down_since is None:
            log.error("Redis cannot be reached: %s", error)
            self._down_since = time.monotonic()

    def _up(self) -> None:
        if self._down_since is not None:
            log.info("Redis is there, with %d workers", len(self.census.workers))
            self._down_since = None
            # A heartbeat that is missing now says nothing: nobody could send one.
            self._trust_from = time.monotonic() + self._settings.worker_ttl
