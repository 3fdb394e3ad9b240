"""Carrying out chunks: in the event loop, with the sandboxes of an embedded service."""

import asyncio
import contextlib
import json
import logging
import re
from collections import OrderedDict
from typing import Any, Final

import redis
from redis.asyncio import Redis

from executor_service import logs
from executor_service.dispatch.submission import Submission
from executor_service.queue.chunks import RESULT, STARTED, Order, read_order, to_wire
from executor_service.queue.keys import Keys
from executor_service.service import EmbeddedService
from executor_service.verifier.results import infrastructure_result
from executor_service.worker.api_watch import ApiWatch
from executor_service.worker.publisher import LARGEST_MESSAGE, Publisher, encode
from executor_service.worker.trouble import Complaints, where

log = logging.getLogger(__name__)

_REMEMBERED: Final = 4096
_SILENCE_S: Final = 5.0
"""Seconds without a message after which the control channel's connection is tried."""
_LOOK_S: Final = 0.5
"""Seconds between two looks whether a chunk in hand has sandboxes, and an API that wants it."""
_ID: Final = re.compile(r"[0-9a-zA-Z-]{1,64}")


class Runtime:
    """The part of a worker that lives in the event loop."""

    def __init__(self, service: EmbeddedService, client: "Redis", keys: Keys, name: str) -> None:
        self.service = service
        self.name = name
        self.keys = keys
        self.client = client
        self.publisher = Publisher(
            client, gone=self._gone, patience=service.settings.outage_patience
        )
        self.chunks_done = 0
        """Chunks carried out since the start."""
        self.chunks_refused = 0
        """Chunks that nobody wanted any more when they were begun, since the start."""
        self.chunks_handed_back = 0
        """Chunks left to other workers for want of a sandbox, since the start."""
        self.chunks_orphaned = 0
        """Chunks ended because the API process that sent them is gone, since the start."""
        self._loop = asyncio.get_running_loop()
        self._under_way: dict[str, asyncio.Task[int] | None] = {}
        self._given_up: OrderedDict[str, None] = OrderedDict()
        self._apis = ApiWatch(client, keys)

    @property
    def in_hand(self) -> list[str]:
        """Return the ids of the chunks whose results are not yet all in Redis."""
        return list(self._under_way)

    def ready(self) -> bool:
        """Tell whether a sandbox runs, so that a chunk taken now would be carried out."""
        return self.service.pool.warm > 0

    def carry_out(self, payload: str) -> None:
        """Carry out a chunk and return when its results are in Redis; called by RQ's threads.

        Whatever goes wrong is logged, without a word of the payload, and not raised: the API
        sends a chunk again that is neither answered nor in hand.
        """
        asyncio.run_coroutine_threadsafe(self._carry_out(payload), self._loop).result()

    def give_up(self, chunk_id: str) -> None:
        """End a chunk that nobody waits for, and remember it in case it is yet to come."""
        self._given_up[chunk_id] = None
        while len(self._given_up) > _REMEMBERED:
            self._given_up.popitem(last=False)
        if (task := self._under_way.get(chunk_id)) is not None:
            task.cancel()

    async def _carry_out(self, payload: str) -> None:
        try:
            order = read_order(payload)
        except Exception as error:
            log.error("chunk %s cannot be read: %s", _chunk_id(payload), where(error))
            return
        if order.chunk in self._under_way:
            return  # delivered twice
        self._under_way[order.chunk] = None
        try:
            with logs.context(request_id=",".join(order.requests)):
                await self._answer(order)
        except Exception as error:
            log.error("chunk %s failed: %s", order.chunk, where(error))
        finally:
            # Only now: a chunk that is not in hand and has no results is sent elsewhere.
            self._under_way.pop(order.chunk, None)

    async def _answer(self, order: Order) -> None:
        """Carry out what is still wanted; return when its results are in Redis."""
        stream = self.keys.replies(order.api)
        # Said before anything is run: should this chunk kill the worker, the API knows which.
        last = self.publisher.put(stream, encode([STARTED, order.chunk, self.name]))
        if not await self._wanted(order):
            self.chunks_refused += 1
            return
        task = asyncio.create_task(self._operations(order, stream, last))
        self._under_way[order.chunk] = task
        try:
            await self._end_or_hand_back(order, task)
        finally:
            task.cancel()
        if not task.cancelled():
            await self.publisher.written(stream, task.result())
            self.chunks_done += 1

    async def _end_or_hand_back(self, order: Order, task: "asyncio.Task[int]") -> None:
        """Wait for the end of ``task``.

        Not for long while there is no sandbox for it, nor for what no API process waits for.
        """
        cold_since: float | None = None
        while not (await asyncio.wait((task,), timeout=_LOOK_S))[0]:
            if await self._apis.gone(order.api):
                self.chunks_orphaned += 1
                log.warning("chunk %s is ended: its API process is gone", order.chunk)
                await self._drop(task)
                return
            if self.ready():
                cold_since = None
                continue
            cold_since = cold_since or self._loop.time()
            if self._loop.time() - cold_since > self.service.settings.worker_ttl:
                self.chunks_handed_back += 1
                log.warning("chunk %s is handed back: no sandbox is running", order.chunk)
                # Its worker lives and does not name it: the API sends it elsewhere.
                self._under_way.pop(order.chunk, None)
                await self._drop(task)
                return

    @staticmethod
    async def _drop(task: "asyncio.Task[int]") -> None:
        """End a chunk's operations, and their runs with them."""
        task.cancel()
        await asyncio.wait((task,))

    async def _wanted(self, order: Order) -> bool:
        alive = await self._apis.lives(order.api)
        return alive and order.chunk not in self._given_up

    async def _gone(self, stream: str) -> bool:
        """Tell whether the API process that reads ``stream`` is no more."""
        api = stream.removeprefix(self.keys.replies(""))
        return not await self.client.exists(self.keys.api(api))

    async def _operations(self, order: Order, stream: str, last: int) -> int:
        """Carry out the operations; return the number of the last message, ``last`` if none."""
        submission = Submission(order.operations, request_id=",".join(order.requests))
        results = self.service.dispatcher.submit(submission)
        async with contextlib.aclosing(results):
            async for number, result in results:
                last = self.publisher.put(stream, _encoded_result(order, number, result))
        return last

    async def listen(self) -> None:
        """Hear which chunks are given up, for ever."""
        complaints = Complaints(log, "the control channel cannot be heard")
        while True:
            try:
                await self._hear()
            except (redis.RedisError, OSError) as error:
                # Redis is away: runs go on, and so does listening.
                log.debug("the control channel is silent: %s", error)
            except Exception as error:
                complaints.note(error)
            await asyncio.sleep(1)

    async def _hear(self) -> None:
        """Hear until the connection ends, or no longer answers."""
        async with self.client.pubsub() as channel:
            await channel.subscribe(self.keys.control)
            asked = False
            while True:
                message: Any = await channel.get_message(
                    ignore_subscribe_messages=True, timeout=_SILENCE_S
                )
                if message is None:
                    # A connection that was dropped on the way is silent too, for ever.
                    if asked:
                        raise redis.ConnectionError("no answer to a ping")
                    await channel.ping()
                    asked = True
                    continue
                asked = False
                if message["type"] == "message":
                    for chunk_id in message["data"].decode(errors="replace").split():
                        self.give_up(chunk_id)


def _encoded_result(order: Order, number: int, result: Any) -> str:
    """Return a result's message, or one that says that it cannot be sent."""
    try:
        text = encode([RESULT, order.chunk, number, to_wire(result)])
        if len(text) <= LARGEST_MESSAGE:
            return text
        why = f"the result has {len(text)} bytes; at most {LARGEST_MESSAGE} can be sent"
    except Exception as error:
        log.error("a result of chunk %s cannot be encoded: %s", order.chunk, where(error))
        why = "the result could not be encoded"
    trouble = infrastructure_result(order.operations[number], why)
    return encode([RESULT, order.chunk, number, trouble])


def _chunk_id(payload: str) -> str:
    """Return the id in a payload that could not be read, and nothing else that stands in it."""
    try:
        name = json.loads(payload)["chunk"]
    except Exception:
        return "without an id"
    return name if isinstance(name, str) and _ID.fullmatch(name) else "without an id"


def describe(runtime: Runtime) -> str:
    """Return what a worker says of itself with every heartbeat."""
    service = runtime.service
    return json.dumps(
        {
            **service.info(),
            "name": runtime.name,
            "warm": service.pool.warm,
            "busy": service.pool.busy,
            "chunks": runtime.chunks_done,
            "in_hand": runtime.in_hand,
        }
    )
