"""Sending messages to the API processes: in order, together, and again until Redis takes them."""

import asyncio
import json
import logging
from typing import Any, Final

import redis
from redis.asyncio import Redis

from executor_service.queue.chunks import Message

log = logging.getLogger(__name__)

_FIELD: Final = "m"
_PAUSE_S: Final = 0.5
_LONGEST_STREAM: Final = 100_000
"""Entries that a stream nobody reads may hold."""
_TOGETHER: Final = 200
"""Messages in one entry of a stream."""
_STREAM_TTL_S: Final = 60


class Publisher:
    """Writes messages to reply streams; while one write is under way the next ones gather."""

    def __init__(self, client: "Redis") -> None:
        self._client = client
        self._waiting: dict[str, list[Message]] = {}
        self._wake = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()

    def put(self, stream: str, message: Message) -> None:
        """Have ``message`` written to ``stream``."""
        self._waiting.setdefault(stream, []).append(message)
        self._idle.clear()
        self._wake.set()

    async def written(self) -> None:
        """Wait until everything that was put is in Redis."""
        await self._idle.wait()

    async def run(self) -> None:
        """Write, for ever."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._waiting:
                batch, self._waiting = self._waiting, {}
                await self._write(batch)
            self._idle.set()

    async def _write(self, batch: dict[str, list[Message]]) -> None:
        """Write until it works: Redis keeps its streams over a restart, and so must we ours."""
        while True:
            pipeline: Any = self._client.pipeline(transaction=False)
            for stream, messages in batch.items():
                for start in range(0, len(messages), _TOGETHER):
                    text = json.dumps(messages[start : start + _TOGETHER], separators=(",", ":"))
                    pipeline.xadd(stream, {_FIELD: text}, maxlen=_LONGEST_STREAM, approximate=True)
                # Where the API process is gone, its stream goes too.
                pipeline.expire(stream, _STREAM_TTL_S, nx=True)
            try:
                await pipeline.execute()
                return
            except redis.RedisError as error:
                log.warning("results cannot be sent yet: %s", error)
                await asyncio.sleep(_PAUSE_S)
