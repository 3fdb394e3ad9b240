"""Where records are kept: the seam, this process's memory, and memory in front of another store."""

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

_PER_ENTRY: Final = 320
"""Bytes that an entry takes beside its value: the key, the deadline and their places."""
_LARGEST_SHARE: Final = 8
"""One entry takes at most this part of all room."""


@dataclass
class StoreFigures:
    """What a store has and had to give up."""

    evictions: int = 0
    errors: int = 0
    entries: int = 0
    bytes: int = 0
    refused: int = 0

    def __add__(self, other: "StoreFigures") -> "StoreFigures":
        """Add up the figures of two stores."""
        return StoreFigures(
            self.evictions + other.evictions,
            self.errors + other.errors,
            self.entries + other.entries,
            self.bytes + other.bytes,
            self.refused + other.refused,
        )


class Store(Protocol):
    """Keeps bytes for a while. It never raises: what cannot be had is not there."""

    async def get(self, key: bytes) -> bytes | None:
        """Return what is kept under ``key``."""

    async def put(self, key: bytes, data: bytes) -> None:
        """Keep ``data``, if there is room for it and somewhere to keep it."""

    def figures(self) -> StoreFigures:
        """Return what the store has now, and what it had to give up since the start."""


class MemoryStore:
    """Keeps a bounded number of bytes; what was not asked for longest goes first."""

    def __init__(
        self, max_bytes: int, ttl: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Keep entries for ``ttl`` seconds of ``clock``, and ``max_bytes`` of them in all."""
        self._max_bytes = max_bytes
        self._ttl = ttl
        self._clock = clock
        self._entries: OrderedDict[bytes, tuple[float, bytes]] = OrderedDict()
        self._bytes = 0
        self._evictions = 0

    async def get(self, key: bytes) -> bytes | None:
        """Return what is kept under ``key``."""
        entry = self._entries.get(key)
        if entry is None:
            return None
        if entry[0] <= self._clock():
            self._drop(key)
            return None
        self._entries.move_to_end(key)
        return entry[1]

    async def put(self, key: bytes, data: bytes) -> None:
        """Keep ``data``, unless it would take too large a part of all room."""
        self._drop(key)
        size = len(data) + _PER_ENTRY
        if size > self._max_bytes // _LARGEST_SHARE:
            return
        self._entries[key] = (self._clock() + self._ttl, data)
        self._bytes += size
        while self._bytes > self._max_bytes:
            self._drop(next(iter(self._entries)))
            self._evictions += 1

    def figures(self) -> StoreFigures:
        """Return what is kept now, and how much was dropped for want of room."""
        return StoreFigures(self._evictions, 0, len(self._entries), self._bytes)

    def _drop(self, key: bytes) -> None:
        entry = self._entries.pop(key, None)
        if entry is not None:
            self._bytes -= len(entry[1]) + _PER_ENTRY


class LayeredStore:
    """A near store in front of a far one that other processes share."""

    def __init__(self, near: Store, far: Store) -> None:
        """Look into ``near`` first; keep everything in both."""
        self._near = near
        self._far = far

    async def get(self, key: bytes) -> bytes | None:
        """Return what either store has; what only the far one has is kept near from now on."""
        data = await self._near.get(key)
        if data is None:
            data = await self._far.get(key)
            if data is not None:
                await self._near.put(key, data)
        return data

    async def put(self, key: bytes, data: bytes) -> None:
        """Keep ``data`` in both stores."""
        await self._near.put(key, data)
        await self._far.put(key, data)

    def figures(self) -> StoreFigures:
        """Return the figures of both stores together."""
        return self._near.figures() + self._far.figures()
