"""What a process does again and again, and no defect may end."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final

log = logging.getLogger(__name__)

_PAUSE_S: Final = 0.5


class Duty:
    """One step, repeated in a task of its own for as long as the process serves."""

    def __init__(self, name: str, step: Callable[[], Awaitable[None]]) -> None:
        """``step`` waits until there is something to do, and does it."""
        self.name = name
        self._step = step
        self._task: asyncio.Task[None] | None = None
        self._failure: str | None = None
        self._logged: set[str] = set()

    def start(self) -> asyncio.Task[None]:
        """Begin; return the task, which only a cancellation ends."""
        self._task = asyncio.get_running_loop().create_task(self._repeat(), name=self.name)
        return self._task

    def trouble(self) -> str | None:
        """Return why this is not being done, or None: it has ended, or its last step failed."""
        if self._task is not None and self._task.done():
            return f"{self.name} has ended; the service must be restarted"
        return self._failure and f"{self.name} fails ({self._failure}); see the service's log"

    async def _repeat(self) -> None:
        while True:
            try:
                await self._step()
            except Exception as error:
                self._note(type(error).__name__)
                await asyncio.sleep(_PAUSE_S)
            else:
                self._failure = None

    def _note(self, kind: str) -> None:
        """Log a defect when it is new: it may come back twice a second for days."""
        self._failure = kind
        if kind not in self._logged:
            self._logged.add(kind)
            log.exception("%s failed; it goes on", self.name)
