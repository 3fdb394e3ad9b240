"""`Verifier`: the client on an event loop in a thread of its own, for callers that do not await.

The thread sends, waits and retries while the caller samples; nothing depends on the caller's coming
back soon.
"""

import asyncio
import os
import threading
import time
from collections import deque
from collections.abc import Coroutine, Mapping, Sequence
from concurrent.futures import CancelledError, Future
from types import TracebackType
from typing import Any, Final, Self, TypeVar

import httpx

from trainer_client.config.run import VerifierConfig
from trainer_client.errors import VerifierError
from trainer_client.verifier.client import AsyncVerifier, Mode
from trainer_client.verifier.errand import QUESTION
from trainer_client.verifier.parcels import Order, order
from trainer_client.verifier.results import Execution, Validation, Verdict
from trainer_client.verifier.retry import Backoff
from trainer_client.verifier.standins import Result

T = TypeVar("T")
_LATENCIES: Final = 512
"""Submits whose latency is remembered."""
_QUANTILES: Final = {"p50_ms": 0.50, "p95_ms": 0.95, "p99_ms": 0.99}


class Pending:
    """Results that are on their way."""

    def __init__(self, session: "Verifier", future: "Future[list[Result]]") -> None:
        self._session = session
        self._future = future

    @property
    def done(self) -> bool:
        """Whether `results` would return (or raise) at once."""
        return self._future.done()

    def results(self) -> list[Result]:
        """Wait for the results and return them in the order of the items.

        The wait counts in the session's `waited`. Identical items share one result.

        Raises:
            VerifierError: an item is malformed, the key is not good, or the session was closed.
            VerifierAway: the verifier could not be had within the patience.
        """
        return self._session.wait(self._future)


class Verifier:
    """A verifier to hand items to and fetch results from; any thread may use it.

    Use it as a context manager, or close it: what has no results by then never gets any.
    """

    def __init__(
        self,
        config: VerifierConfig | None = None,
        key: str | None = None,
        *,
        backoff: Backoff | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        """Start the thread. The arguments are those of `AsyncVerifier`.

        Raises:
            ConfigError: the URL or the key cannot be one.
            VerifierError: the thread's event loop cannot be had (no file descriptors left).
        """
        self._client = AsyncVerifier(config, key, backoff=backoff, transport=transport)
        self._process = os.getpid()
        self._lock = threading.Lock()
        self._closed = False
        self._waited = 0.0
        self._latencies: deque[float] = deque(maxlen=_LATENCIES)
        self._loop: asyncio.AbstractEventLoop
        self._stop: asyncio.Event
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="verifier", daemon=True)
        self._thread.start()
        self._ready.wait()
        if not hasattr(self, "_loop"):
            raise VerifierError("the verifier's thread has no event loop; its traceback says why")

    def __enter__(self) -> Self:
        """Return the session."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the session."""
        self.close()

    def greet(self) -> None:
        """Wait until the verifier answers a question that nothing is run for.

        Asked before any work is done, it shows a wrong URL or key at once.

        Raises:
            VerifierError: it refuses us, or is no verifier.
            VerifierAway: it could not be had within the patience; a log line said so at once.
        """
        self.results([QUESTION])

    def submit(self, items: Sequence[Mapping[str, Any]]) -> Pending:
        """Send /v1/batch items and return at once; any number, identical ones travel once.

        The items may be changed afterwards.

        Raises:
            VerifierError: an item has something that JSON has not, or the session is closed.
        """
        return Pending(self, self._start(self._timed(order(items))))

    def results(self, items: Sequence[Mapping[str, Any]]) -> list[Result]:
        """Submit and wait; see `Pending.results`."""
        return self.submit(items).results()

    def execute(self, program: str, inputs: Sequence[str], **fields: Any) -> Execution:
        """Call a program on inputs; calls of several threads are gathered into one request."""
        return self.wait(self._start(self._client.execute(program, inputs, **fields)))

    def validate(self, program: str, input: str, **fields: Any) -> Validation:  # noqa: A002
        """Ask whether a task is worth posing."""
        return self.wait(self._start(self._client.validate(program, input, **fields)))

    def verify(self, mode: Mode, program: str, **fields: Any) -> Verdict:
        """Judge an answer."""
        return self.wait(self._start(self._client.verify(mode, program, **fields)))

    @property
    def waited(self) -> float:
        """Seconds that callers were blocked for results, since the start."""
        with self._lock:
            return self._waited

    def latencies(self) -> dict[str, float]:
        """Return quantiles (ms) of the last submits' time to results; empty before the first."""
        with self._lock:
            known = sorted(self._latencies)
        if not known:
            return {}
        last = len(known) - 1
        return {name: 1000.0 * known[round(part * last)] for name, part in _QUANTILES.items()}

    def close(self) -> None:
        """End the thread and give up what is under way; harmless the second time."""
        with self._lock:
            first, self._closed = not self._closed, True
        if first and self._process == os.getpid():
            self._loop.call_soon_threadsafe(self._stop.set)
            self._thread.join()

    def wait(self, future: "Future[T]") -> T:
        """Return what a call on the session's thread returns, counting the wait.

        Raises:
            VerifierError: what the call raised, or the session was closed meanwhile.
        """
        start = time.monotonic()
        try:
            return future.result()
        except CancelledError:
            raise VerifierError("the session was closed before the verifier answered") from None
        finally:
            with self._lock:
                self._waited += time.monotonic() - start

    def _start(self, work: Coroutine[Any, Any, T]) -> "Future[T]":
        with self._lock:
            trouble = None
            if self._process != os.getpid():
                trouble = "the session belongs to another process; make one after the fork"
            elif self._closed:
                trouble = "the session is closed"
            if trouble is None:
                # Under the lock: whatever is started is on the loop before the order to stop.
                return asyncio.run_coroutine_threadsafe(work, self._loop)
        work.close()
        raise VerifierError(trouble)

    async def _timed(self, asked: Order) -> list[Result]:
        start = time.monotonic()
        results = await self._client.deliver(asked)
        if results:
            with self._lock:
                self._latencies.append(time.monotonic() - start)
        return results

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        finally:
            self._ready.set()

    async def _serve(self) -> None:
        """Keep the loop until `close`; then end what is on it."""
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        self._ready.set()
        async with self._client:
            await self._stop.wait()
            mine = asyncio.current_task()
            others = [task for task in asyncio.all_tasks() if task is not mine]
            for task in others:
                task.cancel()
            await asyncio.gather(*others, return_exceptions=True)
