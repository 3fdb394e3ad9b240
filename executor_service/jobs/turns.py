"""Room with the dispatcher for the operations of all jobs, shared out in turn between owners.

Jobs never fill the dispatcher's queue: what single requests may use stays free.
"""

import asyncio
from collections import deque
from typing import Final

_Waiter = tuple[int, "asyncio.Future[None]"]
LEAST: Final = 64
"""Operations that there is always room for."""


class Turns:
    """A bound on operations that are out, fair between the owners who wait."""

    def __init__(self, room: int) -> None:
        """Let ``room`` operations be out, or ``LEAST`` if that is more."""
        self._room = max(room, LEAST)
        self._free = self._room
        self._waiting: dict[str, deque[_Waiter]] = {}

    async def take(self, owner: str, count: int) -> None:
        """Wait for the owner's turn and for room for ``count`` (at most ``LEAST``) operations."""
        turn = asyncio.get_running_loop().create_future()
        waiter = (count, turn)
        self._waiting.setdefault(owner, deque()).append(waiter)
        self._serve()
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.give_back(count)
            else:
                self._forget(owner, waiter)
                self._serve()
            raise

    def give_back(self, count: int) -> None:
        """Free the room of ``count`` operations."""
        self._free += count
        self._serve()

    @property
    def out(self) -> int:
        """Return the number of operations that are out."""
        return self._room - self._free

    def _serve(self) -> None:
        while self._waiting:
            owner, waiters = next(iter(self._waiting.items()))
            count, turn = waiters[0]
            if count > self._free:
                return
            waiters.popleft()
            del self._waiting[owner]
            if waiters:
                self._waiting[owner] = waiters  # at the end: the others' turn is first
            if not turn.done():
                self._free -= count
                turn.set_result(None)

    def _forget(self, owner: str, waiter: _Waiter) -> None:
        waiters = self._waiting.get(owner)
        if waiters is not None and waiter in waiters:
            waiters.remove(waiter)
            if not waiters:
                del self._waiting[owner]
