"""Which workers are alive, by their heartbeats."""

import json
import logging
import time
import zlib
from typing import Any

from redis.asyncio import Redis

from executor_service.queue.keys import Keys

log = logging.getLogger(__name__)


def pack(data: Any) -> bytes:
    """Return a worker's metrics as they lie in Redis: compressed, for there may be many workers."""
    return zlib.compress(json.dumps(data).encode())


def unpack(text: bytes) -> Any:
    """Return what ``pack`` was given."""
    return json.loads(zlib.decompress(text))


class Census:
    """The live workers as of the last look; refreshed by the dispatcher."""

    def __init__(self, client: "Redis", keys: Keys) -> None:
        self._client = client
        self._keys = keys
        self.workers: dict[str, dict[str, Any]] = {}
        """What each live worker says of itself (``GET /v1/info`` and more), by name."""
        self._seen = time.monotonic()
        self._metrics: dict[str, Any] = {}

    async def refresh(self) -> None:
        """Look again; forget the dead.

        Raises:
            redis.RedisError: Redis cannot be asked.
        """
        members: Any = await self._client.smembers(self._keys.workers)
        names = sorted(name.decode() for name in members)
        found: dict[str, dict[str, Any]] = {}
        if names:
            texts = await self._client.mget([self._keys.worker(name) for name in names])
            for name, text in zip(names, texts, strict=True):
                if text is not None:
                    found[name] = json.loads(text)
            if dead := [name for name in names if name not in found]:
                log.warning("workers gone: %s", ", ".join(dead))
                await self._client.srem(self._keys.workers, *dead)
        self.workers = found
        if any(worker.get("warm", 0) > 0 for worker in found.values()):
            self._seen = time.monotonic()

    def snapshots(self) -> dict[str, Any]:
        """Return the metrics of each live worker, as of the last ``refresh_metrics``."""
        return {name: data for name, data in self._metrics.items() if name in self.workers}

    async def refresh_metrics(self) -> None:
        """Fetch what the live workers have counted.

        Raises:
            redis.RedisError: Redis cannot be asked.
        """
        names = list(self.workers)
        texts: Any = (
            await self._client.mget([self._keys.metrics(name) for name in names]) if names else []
        )
        self._metrics = {
            name: unpack(text) for name, text in zip(names, texts, strict=True) if text is not None
        }

    @property
    def slots(self) -> int:
        """Return the sandboxes of all live workers."""
        return sum(int(worker.get("slots", 0)) for worker in self.workers.values())

    @property
    def absent_seconds(self) -> float:
        """Return for how long no worker with a sandbox has been seen."""
        return time.monotonic() - self._seen
