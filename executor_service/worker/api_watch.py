"""Which API processes are alive, as the worker that has their chunks sees it."""

import asyncio
import math
from dataclasses import dataclass
from typing import Final

import redis
from redis.asyncio import Redis

from executor_service.queue.keys import Keys

_SEEN_S: Final = 5.0
"""Seconds for which an API process that was alive is taken to be so when a chunk is begun."""
_LOOK_S: Final = 1.0
"""Seconds between two looks at the same API process, however many of its chunks are in hand."""
_GONE_S: Final = 5.0
"""Seconds for which its key must be missing before runs are ended: a Redis that comes back empty,
or after the key's time, has it again as soon as the API process has found its way back."""
_FORGET_S: Final = 600.0
"""Seconds after which an API process that nobody asks about is forgotten."""


@dataclass(slots=True)
class _Sight:
    """What is known of one API process; times are those of the event loop."""

    looked: float = -math.inf
    seen: float = -math.inf
    missing_since: float | None = None


class ApiWatch:
    """Looks for the keys that API processes renew while they live."""

    def __init__(self, client: "Redis", keys: Keys) -> None:
        self._client = client
        self._keys = keys
        self._sights: dict[str, _Sight] = {}

    async def lives(self, api: str) -> bool:
        """Tell whether a chunk of ``api`` is worth beginning; True where nobody can tell."""
        sight, now = self._sight(api), asyncio.get_running_loop().time()
        if now - sight.seen >= _SEEN_S:
            await self._look(api, sight, now)
        return sight.missing_since is None

    async def gone(self, api: str) -> bool:
        """Tell whether ``api`` has been missing for so long that its runs are to be ended.

        It is asked about as often as one likes; Redis is asked once in ``_LOOK_S``.
        """
        sight, now = self._sight(api), asyncio.get_running_loop().time()
        if now - sight.looked >= _LOOK_S:
            await self._look(api, sight, now)
        return sight.missing_since is not None and now - sight.missing_since >= _GONE_S

    async def _look(self, api: str, sight: _Sight, now: float) -> None:
        sight.looked = now
        try:
            alive = bool(await self._client.exists(self._keys.api(api)))
        except (redis.RedisError, OSError):
            sight.missing_since = None  # nobody can tell
            return
        if alive:
            sight.seen, sight.missing_since = now, None
        elif sight.missing_since is None:
            sight.seen, sight.missing_since = -math.inf, now

    def _sight(self, api: str) -> _Sight:
        if (sight := self._sights.get(api)) is None:
            old = asyncio.get_running_loop().time() - _FORGET_S
            self._sights = {name: one for name, one in self._sights.items() if one.looked > old}
            sight = self._sights[api] = _Sight()
        return sight
