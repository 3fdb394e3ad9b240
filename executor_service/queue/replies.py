"""Reading an API process's reply stream."""

import asyncio
import json
import logging
from collections.abc import Callable
from typing import Any, Final

import redis

from executor_service.queue.chunks import Message
from executor_service.queue.connection import async_client

log = logging.getLogger(__name__)

FIELD: Final = b"m"
_BLOCK_MS: Final = 5_000
_AT_ONCE: Final = 256
_PAUSE_S: Final = 0.5
_TRIM_EVERY: Final = 512


class Replies:
    """One stream of messages, read to the end of the process."""

    def __init__(self, url: str, stream: str) -> None:
        # A connection of its own: it blocks.
        self._client = async_client(url, answer_seconds=_BLOCK_MS / 1000 + 5)
        self._stream = stream
        self._last = b"0-0"
        self._unread_trim = 0

    async def listen(self, handle: Callable[[Message], None]) -> None:
        """Hand every message to ``handle``; go on after whatever trouble Redis has."""
        while True:
            try:
                await self._read(handle)
            except redis.RedisError as error:
                log.debug("the reply stream cannot be read: %s", error)
                await asyncio.sleep(_PAUSE_S)

    async def close(self) -> None:
        """Close the connection."""
        await self._client.aclose()

    async def _read(self, handle: Callable[[Message], None]) -> None:
        answer: Any = await self._client.xread(
            {self._stream: self._last}, count=_AT_ONCE, block=_BLOCK_MS
        )
        for _, entries in answer or ():
            for entry, fields in entries:
                self._last = entry
                self._unread_trim += 1
                for message in json.loads(fields[FIELD]):
                    try:
                        handle(message)
                    except Exception:
                        log.exception("a reply could not be handled")
        if self._unread_trim >= _TRIM_EVERY:
            self._unread_trim = 0
            await self._client.xtrim(self._stream, minid=self._last)
