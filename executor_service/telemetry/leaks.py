"""Sandboxes that should not be there: the system shows them, and the pool does not know them.

Covered: whatever the backend of this service ever started is looked for where it would be, among
the processes of this host or the containers of its daemon; in it, the kernel vouches for the rest,
since a pid namespace ends with its first process.
Not covered: what a sandbox holds while it is in the pool. That no process outlives its run there
is the supervisor's to see to, and the tests' to check.
"""

import asyncio
import logging
import time
from collections.abc import Iterator
from typing import Final

from prometheus_client.metrics_core import Metric

from executor_service.sandbox.backend import Backend
from executor_service.sandbox.pool import Pool
from executor_service.telemetry.collectors import gauge

log = logging.getLogger(__name__)

_LOOK_AGAIN_S: Final = 5.0
_PATIENCE_S: Final = 2.0
"""A scrape waits no longer for a daemon that does not answer; it shows what is known."""


class LeakWatch:
    """Compares, at a scrape, what there is with what the pool has.

    Something counts as leaked once it has been unknown for longer than a start or an end takes.
    """

    def __init__(
        self, backend: Backend, pool: Pool, *, grace: float, look_again: float = _LOOK_AGAIN_S
    ) -> None:
        """Let starts and ends take ``grace`` seconds; look at most every ``look_again`` seconds."""
        self._backend = backend
        self._pool = pool
        self._grace = grace
        self._look_again = look_again
        self._looked = -look_again
        self._looking: asyncio.Task[None] | None = None
        self._since: dict[str, float] = {}
        self._leaked: set[str] = set()

    @property
    def leaked(self) -> int:
        """Return how many were leaked at the last look."""
        return len(self._leaked)

    async def refresh(self) -> None:
        """Look again, unless the last look was a moment ago; wait a bounded time."""
        if self._looking is None:
            if time.monotonic() - self._looked < self._look_again:
                return
            self._looking = asyncio.get_running_loop().create_task(self._look())
        await asyncio.wait((self._looking,), timeout=_PATIENCE_S)

    async def close(self) -> None:
        """End a look that is under way."""
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.wait((self._looking,))

    def collect(self) -> Iterator[Metric]:
        """Yield the gauge."""
        yield gauge(
            "leaked_processes",
            "Sandboxes of this service, each a process or a container with all in it, that are "
            "there and should not be.",
            self.leaked,
        )

    async def _look(self) -> None:
        try:
            living = await self._backend.living()
            self._compare(living - self._pool.identities(), time.monotonic())
        except Exception as error:
            log.warning("looking for leaked sandboxes failed: %s", error)
        finally:
            self._looked = time.monotonic()
            self._looking = None

    def _compare(self, unknown: set[str], now: float) -> None:
        self._since = {name: self._since.get(name, now) for name in unknown}
        leaked = {name for name, since in self._since.items() if now - since >= self._grace}
        for name in leaked - self._leaked:
            log.warning("a sandbox is left over: %s", name)
        self._leaked = leaked
