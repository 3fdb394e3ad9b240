"""A worker's heartbeat: a key in Redis that ends when the worker does."""

import asyncio
import contextlib
import itertools
import logging
from typing import Final

import redis

from executor_service.queue.census import pack
from executor_service.worker.runtime import Runtime, describe
from executor_service.worker.trouble import Complaints

log = logging.getLogger(__name__)

_METRICS_EVERY: Final = 3
"""Beats between two looks at this worker's metrics."""
_METRICS_TTL_S: Final = 60
_BEATS: Final = 5
"""Beats in the time after which a silent worker counts as dead."""


async def beat(runtime: Runtime, ttl: float) -> None:
    """Say every now and then that this worker lives, and what it is; go on after any trouble.

    Args:
        runtime: The worker.
        ttl: Seconds of silence after which it counts as dead.
    """
    complaints = Complaints(log, "a heartbeat failed")
    for number in itertools.count():
        try:
            await _say(runtime, ttl)
            if number % _METRICS_EVERY == 0:
                await _say_metrics(runtime)
            complaints.over()
        except redis.RedisError:
            pass  # said by the API, to which this worker is dead meanwhile
        except Exception as error:
            complaints.note(error)
        await asyncio.sleep(ttl / _BEATS)


async def _say(runtime: Runtime, ttl: float) -> None:
    pipeline = runtime.client.pipeline(transaction=False)
    pipeline.set(runtime.keys.worker(runtime.name), describe(runtime), px=int(ttl * 1000))
    pipeline.sadd(runtime.keys.workers, runtime.name)
    await pipeline.execute()


async def _say_metrics(runtime: Runtime) -> None:
    metrics = pack(await runtime.service.metrics.snapshot())
    await runtime.client.set(runtime.keys.metrics(runtime.name), metrics, ex=_METRICS_TTL_S)


async def stop_beating(runtime: Runtime) -> None:
    """Say that this worker is gone, so that nobody waits to find out."""
    with contextlib.suppress(redis.RedisError):
        await runtime.client.delete(runtime.keys.worker(runtime.name))
        await runtime.client.srem(runtime.keys.workers, runtime.name)
