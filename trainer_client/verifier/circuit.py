"""Whether the verifier is there: said once when it goes, once when it is back."""

import asyncio
import logging
import time

log = logging.getLogger(__name__)


class Circuit:
    """What all requests of one client know of the verifier together.

    While it is away every request waits by itself; the first one that is answered wakes the rest.
    """

    def __init__(self, url: str, patience: float) -> None:
        """Watch over `url`; `patience` (seconds) is only told, the requests keep to it."""
        self._url = url
        self._patience = patience
        self._gone: float | None = None
        self._back = asyncio.Event()

    @property
    def away(self) -> bool:
        """Whether the verifier is known to be away."""
        return self._gone is not None

    def failed(self, reason: str, since: float) -> None:
        """Note that the verifier cannot be had since a moment of the monotonic clock."""
        if self._gone is None:
            self._gone = since
            self._back.clear()
            log.warning(
                "the verifier at %s is away (%s); waiting up to %.0f s for it",
                self._url, reason, self._patience,
            )  # fmt: skip

    def answered(self) -> None:
        """Note that the verifier answered, whatever it said."""
        if self._gone is not None:
            log.warning(
                "the verifier at %s is back after %.1f s", self._url, time.monotonic() - self._gone
            )
            self._gone = None
            self._back.set()

    async def pause(self, seconds: float) -> None:
        """Wait; less long when the verifier is away and comes back meanwhile."""
        if self._gone is None:
            await asyncio.sleep(seconds)
            return
        try:
            async with asyncio.timeout(seconds):
                await self._back.wait()
        except TimeoutError:
            return
