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

from executor_service.dispatch.backlog import Backlog
from executor_service.dispatch.submission import Submission
from executor_service.dispatch.ticket import Place, Ticket
from executor_service.errors import InfrastructureError
from executor_service.queue.census import Census
from executor_service.queue.chunks import RESULT, STARTED, Chunk, Message, cut, from_wire
from executor_service.queue.connection import async_client, blocking_client
from executor_service.queue.duty import Duty
from executor_service.queue.keys import Keys
from executor_service.queue.ledger import Ledger
from executor_service.queue.outage import describe
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
_DEFECT: Final = "an internal error; it is in the service's log"
_SEND_BYTES: Final = 16 * 1024 * 1024
"""Bytes of operations that go out at once; the last one may exceed them."""
_CALL_OFFS: Final = 65_536
"""Chunks at most that are to be called off when Redis can be reached again."""


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
        self._duties = (
            Duty("sending operations", self._pump),
            Duty("reading results", lambda: self._replies.read(self._message)),
            Duty("watching the workers", self._keep_watch),
        )
        self._tasks: list[asyncio.Task[None]] = []
        self._errands: set[asyncio.Task[None]] = set()
        self._called_off: list[str] = []
        """Ids of chunks that nobody wants, and that the workers have not been told of."""
        self._suspects: dict[str, float] = {}
        """When a chunk was first found to be lost, by id."""
        self._outage: str | None = "Redis has not been reached yet"
        self._trust_from = 0.0
        self._metrics_at = 0.0

    async def start(self) -> None:
        """Begin to serve; Redis and the workers may come later."""
        self._tasks = [duty.start() for duty in self._duties]

    async def close(self) -> None:
        """Stop; what is out is given up."""
        await end_tasks((*self._tasks, *self._errands))
        with contextlib.suppress(redis.RedisError, OSError):
            self._called_off += [chunk.id for chunk in self.ledger]
            await self._tell_call_offs()
            await self.client.delete(self.keys.api(self.name), self.keys.replies(self.name))
        await self._replies.close()
        await self.client.aclose()
        await asyncio.to_thread(self._sender.close)

    def queued(self) -> int:
        """Return how many operations wait or run."""
        return self.backlog.held

    @property
    def connected(self) -> bool:
        """Tell whether Redis could be reached, and did its work, at the last try."""
        return self._outage is None

    def trouble(self) -> str | None:
        """Return why nothing can be carried out now, or None."""
        for duty in self._duties:
            if (trouble := duty.trouble()) is not None:
                return trouble
        if self._outage is not None:
            return self._outage
        if not self.census.slots:
            return "no worker is alive"
        if not any(worker.get("warm") for worker in self.census.workers.values()):
            return "no worker has a running sandbox"
        return None

    async def submit(self, submission: Submission) -> AsyncGenerator[tuple[int, Any], None]:
        """Carry out the operations; yield (index, result or RequestError) as they finish."""
        if self._outage is not None:
            raise InfrastructureError(f"the job queue cannot be used: {self._outage}")
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
                self._forget(ticket)

    def _deserted(self) -> bool:
        return self.census.absent_seconds > self._settings.outage_patience

    def _forget(self, ticket: Ticket) -> None:
        """Have the workers give up what was out for a client that has left."""
        chunks = [
            chunk
            for chunk in self.ledger
            if not chunk.wanted and any(place.ticket is ticket for place in chunk.places)
        ]
        for chunk in chunks:
            self.ledger.remove(chunk)
        self._wake.set()
        self._call_off(chunks)

    def _call_off(self, chunks: Sequence[Chunk]) -> None:
        """Have the workers give up chunks that were, or may have been, sent."""
        if chunks:
            self._called_off += [chunk.id for chunk in chunks]
            self._errand(self._tell_call_offs())

    async def _tell_call_offs(self) -> None:
        """Tell the workers what is called off; keep it for the next look where Redis is away."""
        ids, self._called_off = self._called_off, []
        if not ids:
            return
        pipeline = self.client.pipeline(transaction=False)
        for chunk_id in ids:
            pipeline.lrem(self.keys.queue_list, 0, chunk_id)
        pipeline.delete(*[f"rq:job:{chunk_id}" for chunk_id in ids])
        pipeline.publish(self.keys.control, " ".join(ids))
        try:
            await pipeline.execute()
        except redis.RedisError as error:
            log.debug("%d chunks cannot be called off yet: %s", len(ids), error)
            self._called_off = (ids + self._called_off)[-_CALL_OFFS:]

    def _errand(self, coroutine: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(coroutine)
        self._errands.add(task)
        task.add_done_callback(self._errands.discard)

    # Outward: from the backlog into the queue.

    async def _pump(self) -> None:
        await self._wake.wait()
        self._wake.clear()
        while chunks := self._next_chunks():
            await self._send(chunks)

    def _next_chunks(self) -> list[Chunk]:
        again, self._again = self._again, []
        if again := [chunk for chunk in again if self._wanted_in_time(chunk)]:
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
        places = self._take(room, _SEND_BYTES)
        try:
            return cut(places, size, spread=len(self.census.workers) if idle else 0)
        except Exception:
            self.ledger.give_up(places, _DEFECT)  # they are in nobody's hands any more
            raise

    def _take(self, most: int, most_bytes: int | None = None) -> list[Place]:
        places: list[Place] = []
        size = 0
        while len(places) < most and (most_bytes is None or size < most_bytes):
            if (place := self.backlog.take()) is None:
                break
            places.append(place)
            size += place.size
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
            except Exception:
                await self._send_singly(chunks)
                return
            else:
                now = time.monotonic()
                for chunk in chunks:
                    chunk.sent = now
                return

    async def _send_singly(self, chunks: list[Chunk]) -> None:
        """Find the chunk that cannot be sent for a defect of ours, and answer it."""
        for chunk in chunks:
            try:
                await self._sender.send([chunk])
                chunk.sent = time.monotonic()
            except redis.RedisError:
                self._again.append(chunk)
                self.ledger.remove(chunk)
            except Exception:
                log.exception("chunk %s cannot be sent", chunk.id)
                self.ledger.remove(chunk)
                self.ledger.give_up(chunk.places, _DEFECT)

    def _wanted_in_time(self, chunk: Chunk) -> bool:
        """Answer what is late by now; tell whether anybody waits for the rest."""
        self.backlog.drop_late(chunk.places)
        return chunk.wanted

    def _still_wanted(self, chunks: list[Chunk]) -> list[Chunk]:
        """Drop chunks whose clients left, and give up those that have waited long enough."""
        kept, dropped = [], []
        for chunk in chunks:
            age = time.monotonic() - chunk.created
            if self._wanted_in_time(chunk) and age < self._settings.outage_patience:
                kept.append(chunk)
                continue
            dropped.append(chunk)
            self.ledger.remove(chunk)
            self.ledger.give_up(chunk.places, f"the job queue could not be used: {self._outage}")
        self._call_off(dropped)
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
        try:
            await self._look()
        except redis.RedisError as error:
            self._down(error)
        finally:
            self._wake.set()
        await asyncio.sleep(_LOOK_S)

    async def _look(self) -> None:
        # None of these needs memory: where Redis has none left, this process stays alive for the
        # workers, and the workers for it, for as long as their keys are there.
        await self.client.expire(self.keys.api(self.name), _ALIVE_S)
        await self.client.expire(self.keys.replies(self.name), 4 * _ALIVE_S)
        await self.census.refresh()
        await self.client.set(self.keys.api(self.name), "1", ex=_ALIVE_S)
        self._up()
        await self._tell_call_offs()
        if time.monotonic() >= self._metrics_at:
            self._metrics_at = time.monotonic() + _METRICS_S
            await self.census.refresh_metrics()
        if time.monotonic() >= self._trust_from:
            await self._recover()

    async def _recover(self) -> None:
        """Send again what is lost; answer what has waited long enough for any worker at all."""
        now = time.monotonic()
        lost = self.ledger.lost(self.census.workers)
        if unseen := self.ledger.unseen():
            pipeline = self.client.pipeline(transaction=False)
            for chunk in unseen:
                pipeline.lpos(self.keys.queue_list, chunk.id)
            places = await pipeline.execute()
            for chunk, place in zip(unseen, places, strict=True):
                if chunk.worker is None and self.ledger.absent(chunk, queued=place is not None):
                    lost.append(chunk)
        lost = self._surely(lost, now)
        for chunk in lost:
            log.warning(
                "chunk %s is lost (worker %s, attempt %d)", chunk.id, chunk.worker, chunk.attempt
            )
            self._again += self.ledger.again(chunk)
        self._call_off(lost)
        if self._deserted():
            self._desert()

    def _surely(self, lost: Sequence[Chunk], now: float) -> list[Chunk]:
        """Return those of ``lost`` whose results do not lie unread in the reply stream.

        A worker sends results before it stops to name their chunk in its heartbeat: they have been
        there since the chunk was first suspected, if they are there at all.
        """
        self._suspects = {chunk.id: self._suspects.get(chunk.id, now) for chunk in lost}
        read_until = self._replies.known_until
        return [chunk for chunk in lost if self._suspects[chunk.id] < read_until]

    def _desert(self) -> None:
        chunks = list(self.ledger)
        for chunk in chunks:
            self.ledger.remove(chunk)
            self.ledger.give_up(chunk.places, "no worker is alive")
        self._call_off(chunks)

    def _down(self, error: Exception) -> None:
        reason = describe(error)
        if self._outage != reason:
            log.error("%s: %s", reason, error)
            self._outage = reason

    def _up(self) -> None:
        if self._outage is not None:
            log.info("Redis is there, with %d workers", len(self.census.workers))
            self._outage = None
            # A heartbeat that is missing now says nothing: nobody could send one.
            self._trust_from = time.monotonic() + self._settings.worker_ttl
