"""Calls to Redis that fail with our errors, and that can be cancelled."""

import asyncio
import contextlib
import logging
from collections.abc import Iterator

import redis

from executor_service.errors import InfrastructureError, StoreFull

log = logging.getLogger(__name__)


@contextlib.contextmanager
def reachable() -> Iterator[None]:
    """Turn the library's errors into ours, and let no cancellation be lost.

    The library sends through ``asyncio.wait_for``, and up to Python 3.11 that forgets a
    cancellation which arrives in the moment in which it is done. A task that was told to stop
    would go on for ever.

    Raises:
        StoreFull: Redis refuses because it is full.
        InfrastructureError: It cannot be reached, or refuses for another reason.
    """
    task = asyncio.current_task()
    before = 0 if task is None else task.cancelling()
    trouble = None
    try:
        yield
    except (redis.RedisError, OSError) as error:
        trouble = error
    if task is not None and task.cancelling() > before:
        raise asyncio.CancelledError
    if trouble is not None:
        log.debug("the store of jobs failed", exc_info=trouble)
        if isinstance(trouble, redis.exceptions.OutOfMemoryError):
            raise StoreFull("Redis is full: it has reached its maxmemory") from trouble
        raise InfrastructureError("the store of jobs cannot be reached") from trouble
