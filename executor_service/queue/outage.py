"""What keeps the API from using Redis, in words."""

import re

import redis
from redis.exceptions import NoPermissionError

_OUT_OF_MEMORY = re.compile(r"(^|: )OOM ")


def describe(error: Exception) -> str:
    """Return what an error of redis-py says about Redis: away, full, or unwilling."""
    # In a pipeline the error has lost its class and has the command before its text.
    if isinstance(error, redis.OutOfMemoryError) or (
        isinstance(error, redis.ResponseError) and _OUT_OF_MEMORY.search(str(error))
    ):
        return "Redis is out of memory"
    if isinstance(error, redis.ReadOnlyError):
        return "Redis is read-only"
    if isinstance(error, redis.AuthenticationError | NoPermissionError):
        return "Redis refuses the service's password or user"
    if isinstance(error, redis.ResponseError):
        return "Redis refuses to work"
    return "Redis cannot be reached"
