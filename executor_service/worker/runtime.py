"""Carrying out chunks: in the event loop, with the sandboxes of an embedded service."""

import asyncio
import contextlib
import json
import logging
from collections import OrderedDict
from typing import Any, Final

import redis
from redis.asyncio import Redis

from executor_service.dispatch.submission import Submission
from executor_service.queue.chunks import RESULT, STARTED, Order, read_order, to_wire
from executor_service.queue.keys import Keys
from executor_service.service import EmbeddedService
from executor_service.worker.publisher import Publisher

log = logging.getLogger(__name__)

_REMEMBERED: Final = 4096
_SEEN_S: Final = 5.0
"""Seconds for which an API process that was alive is taken to be so."""


class Runtime:
    """The part of a worker that lives in the event loop."""

    def __init__(self, service: EmbeddedService, client: "Redis", keys: Keys, name: str) -> None:
        self.service = service
        self.name = name
        self.keys = keys
        self.client = client
        self.publisher = Publisher(client)
        self.chunks_done = 0
        """Chunks carried out since the start."""
        self.chunks_refused = 0
        """Chunks that nobody wanted any more when they were begun, since the start."""
        self._loop = asyncio.get_running_loop()
        self._under_way: dict[str, asyncio.Task[None]] = {}
        self._given_up: OrderedDict[str, None] = OrderedDict()
        self._api_seen: dict[str, float] = {}

    @property
    def in_hand(self) -> list[str]:
        """Return the ids of the chunks whose results are not yet all in Redis."""
        return list(self._under_way)

    def carry_out(self, payload: str) -> None:
        """Carry out a chunk and return when its results are in Redis; called by RQ's threads."""
        asyncio.run_coroutine_threadsafe(self._carry_out(payload), self._loop).result()

    def give_up(self, chunk_id: str) -> None:
        """End a chunk that nobody waits for, and remember it in case it is yet to come."""
        self._given_up[chunk_id] = None
        while len(self._given_up) > _REMEMBERED:
            self._given_up.popitem(last=False)
        if (task := self._under_way.get(chunk_id)) is not None:
            task.cancel()

    async def _carry_out(self, payload: str) -> None:
        order = read_order(payload)
        stream = self.keys.replies(order.api)
        # Said before anything is run: should this chunk kill the worker, the API knows which.
        self.publisher.put(stream, [STARTED, order.chunk, self.name])
        if not await self._wanted(order):
            self.chunks_refused += 1
            return
        task = asyncio.create_task(self._operations(order, stream))
        self._under_way[order.chunk] = task
        try:
            await asyncio.wait((task,))
            await self.publisher.written()
        finally:
            # Only now: a chunk that is not in hand and has no results is sent elsewhere.
            del self._under_way[order.chunk]
        if not task.cancelled():
            task.result()
            self.chunks_done += 1

    async def _wanted(self, order: Order) -> bool:
        if order.chunk in self._given_up:
            return False
        now = self._loop.time()
        if now - self._api_seen.get(order.api, -_SEEN_S) < _SEEN_S:
            return True
        try:
            alive = bool(await self.client.exists(self.keys.api(order.api)))
        except redis.RedisError:
            return True  # nobody can tell
        if alive:
            self._api_seen[order.api] = now
        else:
            self._api_seen.pop(order.api, None)
        return alive

    async def _operations(self, order: Order, stream: str) -> None:
        submission = Submission(order.operations, request_id=",".join(order.requests))
        results = self.service.dispatcher.submit(submission)
        async with contextlib.aclosing(results):
            async for number, result in results:
                self.publisher.put(stream, [RESULT, order.chunk, number, to_wire(result)])

    async def listen(self) -> None:
        """Hear which chunks are given up, for ever."""
        while True:
            try:
                await self._hear()
            except Exception as error:  # Redis is away: runs go on, and so does listening
                log.debug("the control channel is silent: %s", error)
                await asyncio.sleep(1)

    async def _hear(self) -> None:
        async with self.client.pubsub() as channel:
            await channel.subscribe(self.keys.control)
            while True:
                message: Any = await channel.get_message(
                    ignore_subscribe_messages=True, timeout=5.0
                )
                if message is not None:
                    for chunk_id in message["data"].decode().split():
                        self.give_up(chunk_id)


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
