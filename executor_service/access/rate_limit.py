"""How many operations a second each key may submit: one token bucket per key, in memory.

Operations are counted and not requests, because a batch of 1024 costs what 1024 requests cost. A
request that submits none counts as one.
"""

import time
from collections.abc import Callable
from typing import Final

from fastapi import Request

from executor_service.access.keys import StoredKey
from executor_service.dispatch.submission import ANONYMOUS
from executor_service.errors import RateLimited

STATE: Final = "allowance"
"""Where the middleware leaves a request's allowance in ``scope["state"]``."""
_ROUNDING: Final = 1e-6
"""Tokens that may be lacking: less than time and level are off by."""


class Bucket:
    """A token bucket that can be in debt.

    It fills by ``rate`` tokens a second up to ``burst``. A cost above ``burst`` is taken from a
    full bucket and leaves it in debt: such a request waits longer than others, but not for ever.
    """

    def __init__(self, rate: float, burst: float, now: float) -> None:
        """Start full."""
        self.rate = rate
        self.burst = burst
        self._level = burst
        self._filled = now

    def take(self, cost: float, now: float) -> float:
        """Take ``cost`` tokens and return 0, or take none and return the seconds until they are."""
        self._level = min(self.burst, self._level + max(0.0, now - self._filled) * self.rate)
        self._filled = now
        lacking = min(cost, self.burst) - self._level
        if lacking > _ROUNDING:
            return lacking / self.rate
        self._level -= cost
        return 0.0


class Allowance:
    """What one key may still submit."""

    def __init__(self, owner: str, bucket: Bucket, clock: Callable[[], float]) -> None:
        self._owner = owner
        self._bucket = bucket
        self._clock = clock

    def take(self, operations: int) -> None:
        """Count ``operations``, or at least one.

        Raises:
            RateLimited: They are too many for now; none has been counted.
        """
        wait = self._bucket.take(max(1, operations), self._clock())
        if wait > 0:
            whose = "all clients" if self._owner == ANONYMOUS else f"the key {self._owner}"
            raise RateLimited(
                f"{operations} operations are more than {whose} may submit now: "
                f"{self._bucket.rate:g} a second, {self._bucket.burst:g} at once",
                retry_after=wait,
            )


class RateLimiter:
    """The buckets of all keys; as many as there are names of keys, and one for no key."""

    def __init__(
        self, rate: float, burst: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Limit to ``rate`` operations a second, ``burst`` at once; a rate of 0 is no limit."""
        self._rate = rate
        self._burst = burst
        self._clock = clock
        self._buckets: dict[str, Bucket] = {}

    def allowance(self, key: StoredKey | None) -> Allowance | None:
        """Return what the key may still submit, or None where nothing is limited.

        What the key itself says goes before the service's setting, also when it has changed.
        """
        owner, rate, burst = ANONYMOUS, self._rate, self._burst
        if key is not None:
            owner = key.name
            rate = rate if key.operations_per_second is None else key.operations_per_second
            burst = burst if key.burst is None else key.burst
        if rate == 0:
            return None
        bucket = self._buckets.get(owner)
        if bucket is None:
            bucket = self._buckets[owner] = Bucket(rate, burst, self._clock())
        bucket.rate, bucket.burst = rate, burst
        return Allowance(owner, bucket, self._clock)


def charge(request: Request, operations: int) -> None:
    """Count the operations that a request submits against its key.

    Raises:
        RateLimited: They are too many for now.
    """
    allowance: Allowance | None = getattr(request.state, STATE, None)
    if allowance is not None:
        allowance.take(operations)
