"""A worker process: sandboxes, heartbeat, control channel, and the threads that take chunks."""

import asyncio
import contextlib
import logging
import os
import signal
import socket
import sys
import uuid
from typing import Final

import redis

from executor_service import logs
from executor_service.cache.redis_store import RedisStore
from executor_service.errors import ConfigurationError
from executor_service.queue.connection import async_client, blocking_client
from executor_service.queue.keys import Keys
from executor_service.queue.tasks import end_tasks
from executor_service.service import running_service
from executor_service.settings import Settings
from executor_service.worker.heart import beat, stop_beating
from executor_service.worker.runtime import Runtime
from executor_service.worker.sandbox_worker import Feeder

log = logging.getLogger(__name__)

_SLOTS_PER_FEEDER: Final = 8
_SWITCH_S: Final = 0.0005
_GRACE_S: Final = 45.0
"""Longest time for the chunks in hand after the order to end."""
_IDLE_S: Final = 5.0
_LEAST_FEEDERS: Final = 2
"""While one feeder is at RQ's bookkeeping, another one's chunk is carried out."""


async def work(settings: Settings, *, burst: bool = False) -> None:
    """Be a worker until SIGTERM or SIGINT comes; with ``burst`` until the queue is empty.

    The chunks in hand are finished first; a second signal does not wait for them.

    Raises:
        ConfigurationError: No Redis is named, or a required protection is missing.
        SandboxStartError: No sandbox starts.
    """
    if settings.redis_url is None:
        raise ConfigurationError("a worker needs a queue: set EXECUTOR_REDIS_URL")
    name = f"{socket.gethostname()}-{os.getpid()}-{uuid.uuid4().hex[:6]}"
    keys = Keys(settings.queue_name)
    # Each feeder blocks on a connection of its own.
    blocking = blocking_client(settings.redis_url)
    client = async_client(settings.redis_url)
    signals = _signals()
    # The event loop must not wait long for a feeder's bookkeeping.
    sys.setswitchinterval(_SWITCH_S)
    shared = RedisStore(
        client, f"{keys.prefix}:cache:", settings.cache_ttl, max_bytes=settings.cache_bytes
    )
    with logs.context(worker=name):
        async with running_service(settings, shared=shared) as service:
            runtime = Runtime(service, client, keys, name)
            await _serve(settings, runtime, blocking, signals, burst=burst)
    with contextlib.suppress(Exception):
        await client.aclose()
    blocking.close()


async def _serve(
    settings: Settings,
    runtime: Runtime,
    blocking: "redis.Redis",
    signals: tuple[asyncio.Event, asyncio.Event],
    *,
    burst: bool,
) -> None:
    """Take chunks until told to stop; finish those in hand; say that this worker is gone."""
    stop, hurry = signals
    tasks = [
        asyncio.create_task(part)
        for part in (
            runtime.listen(),
            beat(runtime, settings.worker_ttl),
        )
    ]
    feeders = [
        Feeder(
            blocking,
            runtime.keys.queue,
            f"{runtime.name}-{number}",
            runtime.carry_out,
            ready=runtime.ready,
            burst=burst,
        )
        for number in range(max(_LEAST_FEEDERS, settings.slots // _SLOTS_PER_FEEDER))
    ]
    log.info("worker %s takes chunks, with %d sandboxes", runtime.name, settings.slots)
    try:
        for feeder in feeders:
            feeder.start()
        await _until_done(feeders, stop)
    finally:
        for feeder in feeders:
            feeder.stop()
        await _until_idle(runtime, feeders, hurry)
        await stop_beating(runtime)
        await end_tasks(tasks)
        await runtime.publisher.close()


def _signals() -> tuple[asyncio.Event, asyncio.Event]:
    """Return two events: set by the first signal to end, and by the second."""
    stop, hurry = asyncio.Event(), asyncio.Event()

    def on_signal() -> None:
        (hurry if stop.is_set() else stop).set()

    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, on_signal)
    return stop, hurry


async def _until_idle(runtime: Runtime, feeders: list[Feeder], hurry: asyncio.Event) -> None:
    """Wait until the chunks in hand are done, but not for ever: Redis may be away, and stay so."""
    loop = asyncio.get_running_loop()
    began = idle_since = loop.time()
    while any(feeder.is_alive() for feeder in feeders) and not hurry.is_set():
        if runtime.in_hand:
            idle_since = loop.time()
        # A feeder without a chunk may be inside RQ's own waiting for Redis, which knows no stop.
        if loop.time() - idle_since > _IDLE_S or loop.time() - began > _GRACE_S:
            log.warning("ending without the threads that wait for Redis")
            return
        await asyncio.sleep(0.1)


async def _until_done(feeders: list[Feeder], stop: asyncio.Event) -> None:
    """Wait until all feeders have ended or ``stop`` is set."""
    while any(feeder.is_alive() for feeder in feeders) and not stop.is_set():
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), 0.1)
