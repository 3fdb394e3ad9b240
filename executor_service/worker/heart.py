"""A worker's heartbeat: a key in Redis that ends when the worker does."""

import asyncio
import contextlib
import itertools
import logging
from typing import Final

import redis

from executor_service.queue.census import pack
from executor_service.worker.runtime import Runtime, describe

log = logging.getLogger(__name__)

_METRICS_EVERY: Final = 3
"""Beats between two looks at this worker's metrics."""
_METRICS_TTL_S: Final = 60
_BEATS: Final = 5
"""Beats in the time after which a silent worker counts as dead."""


async def beat(runtime: Runtime, ttl: float) -> None:
    """Say every now and then that this worker lives, and what it is.

    Args:
        runtime: The worker.
        ttl: Seconds of silence after which it counts as dead.
    """
    for number in itertools.count():
        with contextlib.suppress(redis.RedisError):
            pipeline = runtime.client.pipeline(transaction=False)
            pipeline.set(runtime.keys.worker(runtime.name), describe(runtime), px=int(ttl * 1000))
            pipeline.sadd(runtime.keys.workers, runtime.name)
            if number % _METRICS_EVERY == 0:
                metrics = pack(await runtime.service.metrics.snapshot())
                pipeline.set(runtime.keys.metrics(runtime.name), metrics, ex=_METRICS_TTL_S)
            await pipeline.execute()
        await asyncio.sleep(ttl / _BEATS)


async def stop_beating(runtime: Runtime) -> None:
    """Say that this worker is gone, so that nobody waits to find out."""
    with contextlib.suppress(redis.RedisError):
        await runtime.client.delete(runtime.keys.worker(runtime.name))
        await runtime.client.srem(runtime.keys.workers, runtime.name)
