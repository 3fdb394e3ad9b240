"""Connections to Redis, as the service wants them: bounded in time, checked, quick to return."""

import redis
import redis.asyncio
from redis.backoff import NoBackoff
from redis.retry import Retry

from executor_service.errors import ConfigurationError

CONNECT_SECONDS = 3.0
ANSWER_SECONDS = 10.0
"""Longest wait for an answer, blocking commands apart; then Redis counts as unreachable."""


def blocking_client(url: str) -> "redis.Redis":
    """Return a client for threads.

    Raises:
        ConfigurationError: The address is not one of Redis.
    """
    try:
        return redis.Redis.from_url(
            url,
            socket_connect_timeout=CONNECT_SECONDS,
            socket_timeout=ANSWER_SECONDS,
            # Callers wait and try again themselves, and say so meanwhile.
            retry=Retry(NoBackoff(), 0),
        )
    except ValueError as error:
        raise ConfigurationError(f"EXECUTOR_REDIS_URL: {error}") from None


def async_client(url: str, *, answer_seconds: float = ANSWER_SECONDS) -> "redis.asyncio.Redis":
    """Return a client for the event loop.

    Raises:
        ConfigurationError: The address is not one of Redis.
    """
    try:
        return redis.asyncio.Redis.from_url(
            url,
            socket_connect_timeout=CONNECT_SECONDS,
            socket_timeout=answer_seconds,
            retry=redis.asyncio.retry.Retry(NoBackoff(), 0),
        )
    except ValueError as error:
        raise ConfigurationError(f"EXECUTOR_REDIS_URL: {error}") from None
