"""Concurrent single calls gathered into one request: many callers, few round trips."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from trainer_client.errors import VerifierError
from trainer_client.verifier.parcels import Parcel
from trainer_client.verifier.refusals import Settled
from trainer_client.verifier.standins import Result

Send = Callable[[Sequence[Parcel]], Awaitable[Sequence[Settled]]]


class Gatherer:
    """Holds a call back for a few milliseconds, so that those of others can come along."""

    def __init__(self, send: Send, window: float, most: int) -> None:
        """Send with `send` what comes within `window` seconds, or at once when `most` are there."""
        self._send = send
        self._window = window
        self._most = most
        self._waiting: list[tuple[Parcel, asyncio.Future[Result]]] = []
        self._timer: asyncio.TimerHandle | None = None
        self._sending: set[asyncio.Task[None]] = set()

    async def ask(self, parcel: Parcel) -> Result:
        """Return the result of one item.

        Raises:
            VerifierError: this item is malformed, or the request it travelled in failed.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Result] = loop.create_future()
        self._waiting.append((parcel, future))
        if len(self._waiting) >= self._most:
            self._flush()
        elif self._timer is None:
            self._timer = loop.call_later(self._window, self._flush)
        return await future

    async def close(self) -> None:
        """Cancel the calls that have no answer yet."""
        if self._timer is not None:
            self._timer.cancel()
        for _, future in self._waiting:
            future.cancel()
        self._waiting.clear()
        for task in self._sending:
            task.cancel()
        await asyncio.gather(*self._sending, return_exceptions=True)

    def _flush(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        # Who has gone away meanwhile asks for nothing.
        batch = [(parcel, future) for parcel, future in self._waiting if not future.done()]
        self._waiting = []
        if batch:
            task = asyncio.get_running_loop().create_task(self._carry(batch))
            self._sending.add(task)
            task.add_done_callback(self._sending.discard)

    async def _carry(self, batch: Sequence[tuple[Parcel, asyncio.Future[Result]]]) -> None:
        try:
            found = await self._send([parcel for parcel, _ in batch])
        except asyncio.CancelledError:
            for _, future in batch:
                future.cancel()
            raise
        except Exception as error:  # whatever it is, each of the callers is to learn of it
            for _, future in batch:
                if not future.done():
                    future.set_exception(error)
            return
        for (_, future), result in zip(batch, found, strict=True):
            if future.done():
                continue
            if isinstance(result, VerifierError):
                future.set_exception(result)
            else:
                future.set_result(result)
