"""Reading an API process's reply stream."""

import asyncio
import json
import logging
import time
from collections.abc import Callable
from typing import Any, Final

import redis

from executor_service.queue.chunks import Message
from executor_service.queue.connection import async_client

log = logging.getLogger(__name__)

FIELD: Final = b"m"
_BLOCK_S: Final = 1.0
_PAUSE_S: Final = 0.5
_AT_ONCE: Final = 256
"""Entries of one read at most."""
_EASY_BYTES: Final = 1024 * 1024
"""A read of fewer bytes than this may be followed by one of twice as many entries."""
_TRIM_ENTRIES: Final = 64
_TRIM_BYTES: Final = 256 * 1024
"""Bytes that have been read and may lie in Redis all the same."""


class Replies:
    """One stream of messages, read to the end of the process."""

    def __init__(self, url: str, stream: str, *, answer_seconds: float = 10.0) -> None:
        """``answer_seconds``: longest wait for an answer that is due."""
        # A connection of its own: it blocks.
        self._client = async_client(url, answer_seconds=_BLOCK_S + answer_seconds)
        self._stream = stream
        self._last = b"0-0"
        self._untrimmed = 0
        self._untrimmed_bytes = 0
        self.at_once = _AT_ONCE
        """Entries of the next read: fewer while they are too large to arrive in time."""
        self.known_until = 0.0
        """Monotonic time up to which everything that was sent has been handed on."""
        self._logged: set[str] = set()

    async def read(self, handle: Callable[[Message], None]) -> None:
        """Hand what there is to ``handle``, or wait for a moment; outlive Redis's troubles."""
        try:
            await self._read(handle)
        except redis.TimeoutError:
            # Too much for the time that an answer may take, maybe: ask for less.
            self.at_once = max(1, self.at_once // 2)
            log.debug("reading the reply stream timed out; now %d entries", self.at_once)
        except redis.RedisError as error:
            log.debug("the reply stream cannot be read: %s", error)
            await asyncio.sleep(_PAUSE_S)

    async def close(self) -> None:
        """Close the connection."""
        await self._client.aclose()

    async def _read(self, handle: Callable[[Message], None]) -> None:
        asked = time.monotonic()
        answer: Any = await self._client.xread(
            {self._stream: self._last}, count=self.at_once, block=int(_BLOCK_S * 1000)
        )
        entries = [entry for _, found in answer or () for entry in found]
        size = 0
        for entry, fields in entries:
            self._last = entry
            size += len(fields.get(FIELD, b""))
            self._hand_on(fields, handle)
        if not entries:
            self.known_until = asked + _BLOCK_S  # it was watched for so long, and nothing came
        elif len(entries) < self.at_once:
            self.known_until = asked
        if size < _EASY_BYTES:
            self.at_once = min(2 * self.at_once, _AT_ONCE)
        self._untrimmed += len(entries)
        self._untrimmed_bytes += size
        await self._trim(idle=not entries)

    def _hand_on(self, fields: dict[bytes, bytes], handle: Callable[[Message], None]) -> None:
        """Hand on one entry; a message that cannot be handled does not keep back the next one."""
        try:
            messages = json.loads(fields[FIELD])
        except (KeyError, ValueError) as error:
            self._log(error)
            return
        for message in messages:
            try:
                handle(message)
            except Exception as error:
                self._log(error)

    def _log(self, error: Exception) -> None:
        kind = type(error).__name__
        if kind not in self._logged:
            self._logged.add(kind)
            log.exception("a reply could not be handled")

    async def _trim(self, *, idle: bool) -> None:
        """Have Redis forget what has been read, before much of it lies there."""
        if not self._untrimmed:
            return
        if idle or self._untrimmed >= _TRIM_ENTRIES or self._untrimmed_bytes > _TRIM_BYTES:
            milliseconds, number = self._last.split(b"-")
            beyond = f"{int(milliseconds)}-{int(number) + 1}"
            await self._client.xtrim(self._stream, minid=beyond, approximate=False)
            self._untrimmed = self._untrimmed_bytes = 0
