"""Records in Redis, shared by all workers of a queue.

Covered: Redis that is away, slow, full or of another mind costs a run a short wait once every few
seconds and is a miss. Nothing is written to a Redis that is used to two fifths of its
``maxmemory``, by whomever: the rest is for jobs and the queue. The records of one process take a
bounded part as well, which is all there is to go by where Redis has no ``maxmemory``.
Not covered: whoever may write to this Redis can write results. It holds the queue, so whoever may
do that can answer for the workers anyway; give it a password.
"""

import asyncio
import logging
import math
import time
from collections import deque
from typing import Any, Final

import redis
from redis.asyncio import Redis

from executor_service.cache.record import MAX_RECORD_BYTES
from executor_service.cache.store import StoreFigures

log = logging.getLogger(__name__)

_TIMEOUT_S: Final = 0.25
_GET: Final = "getrange"
_SET: Final = "set"
_INFO: Final = "info"
_SHARE: Final = 0.4
"""Share of Redis's ``maxmemory`` above which nothing is written."""
_LOOK_EVERY_S: Final = 2.0
_LOOK_EVERY_BYTES: Final = 4 << 20
"""Bytes that this process may write before it looks at Redis's memory again."""
_AT_ONCE: Final = 16
"""Commands under way, and so connections; the inputs of one execute alone may be a thousand."""
_BACK_OFF_S: Final = 5.0
"""Seconds for which Redis is left alone after it failed."""
_PER_ENTRY: Final = 200
"""Bytes that Redis takes for an entry beside its value: the key, its TTL and their places."""


class RedisStore:
    """Keeps records under ``prefix`` with a TTL."""

    def __init__(self, client: "Redis", prefix: str, ttl: int, *, max_bytes: int = 1 << 26) -> None:
        """Keep records for ``ttl`` seconds.

        Args:
            client: Must return bytes (``decode_responses`` off); whoever made it closes it.
            prefix: What all keys begin with.
            ttl: Seconds.
            max_bytes: Most bytes that records of this process take in Redis at any time.
        """
        self._client: Any = client
        self._prefix = prefix
        self._ttl = ttl
        self._max_bytes = max_bytes
        self._written: deque[tuple[float, int]] = deque()
        self._bytes = 0
        self._refused_until = {_GET: 0.0, _SET: 0.0, _INFO: 0.0}
        self._errors = 0
        self._refused = 0
        self._memory_left = 0.0
        self._unseen = 0
        self._look_at = 0.0
        self._looking = asyncio.Lock()
        self._places = asyncio.Semaphore(_AT_ONCE)

    async def get(self, key: bytes) -> bytes | None:
        """Return what Redis has under ``key``, or None where it cannot be had in time."""
        # A range, as a value can have half a gigabyte; one that is cut is no record.
        data = await self._ask(_GET, self._prefix + key.hex(), 0, MAX_RECORD_BYTES)
        return data if type(data) is bytes and data else None

    async def put(self, key: bytes, data: bytes) -> None:
        """Keep ``data``, unless Redis or this process's part of it is full enough."""
        size = len(data) + len(self._prefix) + 2 * len(key) + _PER_ENTRY
        if self._room() < size or not await self._spare(size):
            self._refused += 1
        elif await self._ask(_SET, self._prefix + key.hex(), data, ex=self._ttl):
            self._written.append((time.monotonic() + self._ttl, size))
            self._bytes += size

    def figures(self) -> StoreFigures:
        """Return how often Redis failed or was full enough; what it holds is for it to say."""
        return StoreFigures(errors=self._errors, refused=self._refused)

    async def _spare(self, size: int) -> bool:
        """Tell whether Redis, as seen lately, has ``size`` bytes for records; if so count them."""
        async with self._looking:
            now = time.monotonic()
            if now >= self._look_at or self._unseen >= _LOOK_EVERY_BYTES:
                self._look_at, self._unseen = now + _LOOK_EVERY_S, 0
                self._memory_left = _left(await self._ask(_INFO, "memory"))
            if self._memory_left < size:
                return False
            self._memory_left -= size
            self._unseen += size
            return True

    def _room(self) -> int:
        now = time.monotonic()
        while self._written and self._written[0][0] <= now:
            self._bytes -= self._written.popleft()[1]
        return self._max_bytes - self._bytes

    async def _ask(self, command: str, *arguments: Any, **options: Any) -> Any:
        async with self._places:
            if time.monotonic() < self._refused_until[command]:
                return None
            try:
                async with asyncio.timeout(_TIMEOUT_S):
                    return await getattr(self._client, command)(*arguments, **options)
            except redis.ResponseError as error:
                # It is there and refuses: one that is full can still be read.
                self._leave_alone(error, command)
            except (redis.RedisError, OSError, TimeoutError) as error:
                self._leave_alone(error, _GET, _SET, _INFO)
            return None

    def _leave_alone(self, error: Exception, *commands: str) -> None:
        self._errors += 1
        self._refused_until |= dict.fromkeys(commands, time.monotonic() + _BACK_OFF_S)
        log.warning("the cache leaves Redis alone for %g s: %r", _BACK_OFF_S, error)


def _left(memory: Any) -> float:
    """Return the bytes that records may still take, by what INFO says; none if it says nothing."""
    try:
        most, used = int(memory["maxmemory"]), int(memory["used_memory"])
    except (TypeError, KeyError, ValueError):
        return 0.0
    return most * _SHARE - used if most else math.inf
