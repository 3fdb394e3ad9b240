"""Sharing the sandboxes between requests: fair, bounded, in this process.

A dispatcher takes operations and gives results as they finish. This one holds each request's
operations in a queue of its own and serves the requests in turn, so that a batch of a thousand
does not make a single call wait for all of it. How many operations it holds is bounded; beyond
that a request is refused at once, before any of it has run.
"""

import asyncio
import logging
from collections import deque
from collections.abc import AsyncGenerator, Sequence
from typing import Any, Protocol

from executor_service.errors import QueueFull, RequestError
from executor_service.operations import AnyOperation
from executor_service.verifier.verdicts import infrastructure
from executor_service.verifier.verifier import Result, Verifier

log = logging.getLogger(__name__)


class Dispatcher(Protocol):
    """The seam between HTTP and the work: in this process, or through a queue."""

    def submit(self, operations: Sequence[AnyOperation]) -> AsyncGenerator[tuple[int, Any], None]:
        """Carry out ``operations``; yield (index, result or RequestError) as they finish.

        Raises:
            QueueFull: There is no room for all of them; none has been started.
        """

    def queued(self) -> int:
        """Return how many operations wait or run."""


class _Ticket:
    """One request's operations: those not begun, and the results not yet taken."""

    def __init__(self, operations: Sequence[AnyOperation]) -> None:
        self.waiting = deque(enumerate(operations))
        self.left = len(operations)
        self.results: asyncio.Queue[tuple[int, Any]] = asyncio.Queue()


class EmbeddedDispatcher:
    """Carries operations out with a verifier in this process."""

    def __init__(self, verifier: Verifier, *, concurrency: int, queue_size: int) -> None:
        """``concurrency`` operations run at once; ``queue_size`` may wait or run."""
        self._verifier = verifier
        self._concurrency = concurrency
        self._queue_size = queue_size
        self._turns: deque[_Ticket] = deque()
        self._held = 0
        self._running: set[asyncio.Task[None]] = set()
        self._seconds_per_operation = 0.01

    def queued(self) -> int:
        """Return how many operations wait or run."""
        return self._held

    async def submit(
        self, operations: Sequence[AnyOperation]
    ) -> AsyncGenerator[tuple[int, Any], None]:
        """Carry out ``operations``; yield (index, result or RequestError) as they finish."""
        if self._held + len(operations) > self._queue_size:
            wait = max(1.0, self._held * self._seconds_per_operation)
            raise QueueFull(
                f"{self._held} operations wait already; this server holds {self._queue_size}",
                retry_after=wait,
            )
        ticket = _Ticket(operations)
        self._held += len(operations)
        self._turns.append(ticket)
        self._start_workers()
        taken = 0
        try:
            while taken < len(operations):
                item = await ticket.results.get()
                taken += 1
                yield item
        finally:
            # The client may have left: what has not begun will not begin.
            self._held -= len(ticket.waiting)
            ticket.left -= len(ticket.waiting)
            ticket.waiting.clear()

    async def close(self) -> None:
        """Stop; operations under way are cancelled."""
        for task in list(self._running):
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    def _start_workers(self) -> None:
        waiting = sum(len(ticket.waiting) for ticket in self._turns)
        for _ in range(min(self._concurrency - len(self._running), waiting)):
            task = asyncio.get_running_loop().create_task(self._work())
            self._running.add(task)
            task.add_done_callback(self._running.discard)

    def _next(self) -> tuple[_Ticket, int, AnyOperation] | None:
        """Take one operation from the request whose turn it is."""
        while self._turns:
            ticket = self._turns.popleft()
            if ticket.waiting:
                index, operation = ticket.waiting.popleft()
                if ticket.waiting:
                    self._turns.append(ticket)
                return ticket, index, operation
        return None

    async def _work(self) -> None:
        try:
            await self._work_until_idle()
        finally:
            # Not left to the done callback, which comes a moment later: a request that came in
            # between would count this worker as busy, and perhaps wait for ever.
            task = asyncio.current_task()
            assert task is not None
            self._running.discard(task)

    async def _work_until_idle(self) -> None:
        loop = asyncio.get_running_loop()
        while (taken := self._next()) is not None:
            ticket, index, operation = taken
            started = loop.time()
            try:
                result = await self._carry_out(operation)
            finally:
                self._held -= 1
            spent = (loop.time() - started) / self._concurrency
            self._seconds_per_operation += 0.05 * (spent - self._seconds_per_operation)
            ticket.results.put_nowait((index, result))

    async def _carry_out(self, operation: AnyOperation) -> Result | RequestError:
        try:
            return await self._verifier.carry_out(operation)
        except RequestError as error:
            return error
        except Exception:
            # A defect of ours must neither stall the request nor pass for a verdict.
            log.exception("an operation failed inside the service")
            return infrastructure("an internal error; it is in the service's log").as_dict()
