"""The dispatcher of a service that has its sandboxes in its own process."""

import asyncio
import logging
from collections.abc import AsyncGenerator
from typing import Any, Protocol

from executor_service import logs
from executor_service.dispatch.backlog import Backlog
from executor_service.dispatch.submission import Submission
from executor_service.dispatch.ticket import Place, Ticket
from executor_service.errors import RequestError
from executor_service.operations import AnyOperation
from executor_service.verifier.results import infrastructure_result

log = logging.getLogger(__name__)


class CarriesOut(Protocol):
    """What a dispatcher needs of a verifier."""

    async def carry_out(self, operation: AnyOperation) -> dict[str, Any]:
        """Carry out one operation; raises RequestError where it is not acceptable."""


class EmbeddedDispatcher:
    """Carries operations out with a verifier in this process."""

    def __init__(
        self,
        verifier: CarriesOut,
        *,
        concurrency: int,
        queue_size: int,
        queue_bytes: int | None = None,
    ) -> None:
        """Start nothing yet.

        Args:
            verifier: Who carries them out.
            concurrency: Operations that run at once.
            queue_size: Operations that may wait or run.
            queue_bytes: Bytes that they may take; None for any number.
        """
        self._verifier = verifier
        self._concurrency = concurrency
        self.backlog = Backlog(queue_size, queue_bytes)
        self._workers: set[asyncio.Task[None]] = set()
        self._under_way: dict[Ticket, set[asyncio.Task[None]]] = {}
        self._closed = False

    def queued(self) -> int:
        """Return how many operations wait or run."""
        return self.backlog.held

    async def submit(self, submission: Submission) -> AsyncGenerator[tuple[int, Any], None]:
        """Carry out the operations; yield (index, result or RequestError) as they finish."""
        ticket = self.backlog.admit(submission)
        self._start_workers()
        try:
            for _ in range(len(submission.operations)):
                yield await ticket.results.get()
        finally:
            # The client may have left: what has not begun will not begin, and what has is ended.
            self.backlog.abandon(ticket)
            for task in self._under_way.get(ticket, ()):
                task.cancel()

    async def close(self) -> None:
        """Stop; operations under way are cancelled."""
        self._closed = True
        for task in list(self._workers):
            task.cancel()
        await asyncio.gather(*self._workers, return_exceptions=True)

    def _start_workers(self) -> None:
        for _ in range(min(self._concurrency - len(self._workers), self.backlog.waiting)):
            task = asyncio.get_running_loop().create_task(self._work())
            self._workers.add(task)
            task.add_done_callback(self._workers.discard)

    async def _work(self) -> None:
        task = asyncio.current_task()
        assert task is not None
        try:
            while (place := self.backlog.take()) is not None:
                await self._finish(place, task)
        finally:
            # Not left to the done callback, which comes a moment later: a request that came in
            # between would count this worker as busy, and perhaps wait for ever.
            self._workers.discard(task)

    async def _finish(self, place: Place, task: asyncio.Task[None]) -> None:
        """Carry out one operation; the client's leaving cancels it, and not the worker."""
        under_way = self._under_way.setdefault(place.ticket, set())
        under_way.add(task)
        try:
            # This task serves many requests; it was started by some other one, maybe.
            with logs.Context(place.ticket.context):
                result = await self._carry_out(place.operation)
        except asyncio.CancelledError:
            if self._closed or not place.ticket.abandoned:
                raise
            task.uncancel()
            return
        finally:
            under_way.discard(task)
            if not under_way:
                self._under_way.pop(place.ticket, None)
        self.backlog.finish(place, result)

    async def _carry_out(self, operation: AnyOperation) -> dict[str, Any] | RequestError:
        try:
            return await self._verifier.carry_out(operation)
        except RequestError as error:
            return error
        except Exception:
            # A defect of ours must neither stall the request nor pass for a verdict.
            log.exception("an operation failed inside the service")
            return infrastructure_result(operation, "an internal error; it is in the service's log")
