"""Operations that wait: bounded, and shared out in turn.

Owners take turns, and within an owner its requests do, so that neither a client with a thousand
requests nor a request with a thousand operations makes a single call wait for all of it. Room is
bounded, by operations and by their bytes; what does not fit, or would not be done within the
client's patience, is refused at once, before any of it has run.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from typing import Any, Final

from executor_service import logs
from executor_service.dispatch.submission import Submission, text_bytes
from executor_service.errors import QueueFull
from executor_service.operations import AnyOperation
from executor_service.verifier.results import infrastructure_result

_FIRST_GUESS_S: Final = 0.01
_LONGEST_GAP_S: Final = 5.0
_WEIGHT: Final = 0.05


class Ticket:
    """One submission's operations: those not begun, those begun, and the results not yet taken."""

    def __init__(self, submission: Submission) -> None:
        self.waiting = deque(enumerate(submission.operations))
        self.sizes = [text_bytes(operation) for operation in submission.operations]
        """Bytes of each operation, about."""
        self.bytes = sum(self.sizes)
        """Bytes of all operations: the request has them in memory until the last one is done."""
        self.open = set(range(len(submission.operations)))
        """Indices that have no result yet."""
        self.owner = submission.owner
        self.request_id = submission.request_id
        self.context = {"request_id": submission.request_id, **logs.current()}
        """What log records on its behalf say."""
        self.results: asyncio.Queue[tuple[int, Any]] = asyncio.Queue()
        self.deadline = None if submission.patience is None else (
            time.monotonic() + submission.patience
        )  # fmt: skip
        self.admitted = time.monotonic()
        self.abandoned = False

    def expired(self) -> bool:
        """Tell whether the client has stopped waiting by its own account."""
        return self.deadline is not None and time.monotonic() >= self.deadline


class Place:
    """One operation that is taken for execution, and where its result belongs."""

    __slots__ = ("index", "operation", "ticket")

    def __init__(self, ticket: Ticket, index: int, operation: AnyOperation) -> None:
        self.ticket = ticket
        self.index = index
        self.operation = operation

    @property
    def size(self) -> int:
        """Return about how many bytes the operation takes."""
        return self.ticket.sizes[self.index]

    @property
    def wanted(self) -> bool:
        """Tell whether anybody still waits for the result."""
        return not self.ticket.abandoned and self.index in self.ticket.open


def _unobserved(seconds: float) -> None:
    """Take no note."""


class Backlog:
    """All tickets of a process."""

    def __init__(self, capacity: int, capacity_bytes: int | None = None) -> None:
        """Make room for ``capacity`` operations of ``capacity_bytes``, those under way included."""
        self.capacity = capacity
        """Operations that may wait or run at once."""
        self.capacity_bytes = capacity_bytes
        """Bytes that the requests they belong to may take; None for any number."""
        self.on_begin: Callable[[float], None] = _unobserved
        """Told of each operation that is taken, how many seconds it had waited."""
        self._turns: dict[str, deque[Ticket]] = {}
        self._held: dict[str, int] = {}
        self.held = 0
        """Operations that wait or run."""
        self.held_bytes = 0
        """Bytes of the requests that are not done."""
        self.waiting = 0
        """Operations that wait."""
        self.expired = 0
        """Operations whose client's patience ended before they began, since the start."""
        self.refused = 0
        """Operations refused for want of room or time, since the start."""
        self.refused_late = 0
        """Those of them that there was room for, but not time."""
        self._seconds_per_operation = _FIRST_GUESS_S
        self._last_finish: float | None = None

    def admit(self, submission: Submission) -> Ticket:
        """Take a submission in.

        Raises:
            QueueFull: There is no room for all of it, or it would not be done in time.
        """
        count = len(submission.operations)
        self._check_room(submission, count)
        ticket = Ticket(submission)
        self._check_bytes(ticket, count)
        if count:
            self.held += count
            self.held_bytes += ticket.bytes
            self.waiting += count
            self._held[ticket.owner] = self._held.get(ticket.owner, 0) + count
            self._turns.setdefault(ticket.owner, deque()).append(ticket)
        return ticket

    def _check_room(self, submission: Submission, count: int) -> None:
        if self.held + count > self.capacity:
            self.refused += count
            raise QueueFull(
                f"{self.held} operations wait already; this server holds {self.capacity}",
                retry_after=max(1.0, self.held * self._seconds_per_operation),
            )
        expected = self.expected_seconds(submission.owner, count)
        if submission.patience is not None and expected > submission.patience:
            self.refused += count
            self.refused_late += count
            raise QueueFull(
                f"{count} operations would take about {expected:.1f} s from now, longer than the "
                f"{submission.patience:g} s that the client waits",
                retry_after=max(1.0, expected - submission.patience),
            )

    def _check_bytes(self, ticket: Ticket, count: int) -> None:
        """Refuse what is too large beside what waits; alone it may be as large as a body may."""
        if self.capacity_bytes is None or not self.held_bytes:
            return
        if self.held_bytes + ticket.bytes > self.capacity_bytes:
            self.refused += count
            raise QueueFull(
                f"{ticket.bytes} bytes of operations are too many beside the {self.held_bytes} "
                f"bytes that wait already; this server holds {self.capacity_bytes} "
                "(EXECUTOR_QUEUE_BYTES)",
                retry_after=max(1.0, self.held * self._seconds_per_operation),
            )

    def expected_seconds(self, owner: str, count: int) -> float:
        """Return about how long ``count`` more operations of ``owner`` would take.

        Owners share evenly: no other one is served more operations than this one meanwhile.
        """
        own = self._held.get(owner, 0) + count
        before = sum(min(held, own) for name, held in self._held.items() if name != owner)
        return (own + before) * self._seconds_per_operation

    def take(self) -> Place | None:
        """Take one operation of the owner and the request whose turn it is."""
        while self._turns:
            owner = next(iter(self._turns))
            tickets = self._turns.pop(owner)
            place = self._take_from(tickets)
            if tickets:
                self._turns[owner] = tickets  # at the end: the others' turn is first
            if place is not None:
                return place
        return None

    def _take_from(self, tickets: deque[Ticket]) -> Place | None:
        while tickets:
            ticket = tickets.popleft()
            if ticket.expired():
                self._expire(ticket)
            if ticket.waiting:
                index, operation = ticket.waiting.popleft()
                self.waiting -= 1
                self.on_begin(time.monotonic() - ticket.admitted)
                if ticket.waiting:
                    tickets.append(ticket)
                return Place(ticket, index, operation)
        return None

    def _expire(self, ticket: Ticket) -> None:
        self.expired += len(ticket.waiting)
        while ticket.waiting:
            index, operation = ticket.waiting.popleft()
            self.waiting -= 1
            late = "the client's patience ended before the operation began"
            self.finish(Place(ticket, index, operation), infrastructure_result(operation, late))

    def finish(self, place: Place, result: Any) -> bool:
        """Hand a result to whoever waits for it; return False where it is not wanted any more.

        The first result counts: an operation that was sent out twice is answered once.
        """
        return self.answer(place.ticket, place.index, result)

    def answer(self, ticket: Ticket, index: int, result: Any) -> bool:
        """Do what ``finish`` does, for an operation that is not at hand any more."""
        if index not in ticket.open:
            return False
        ticket.open.discard(index)
        self._release(ticket, 1)
        self._clock()
        ticket.results.put_nowait((index, result))
        return True

    def abandon(self, ticket: Ticket) -> None:
        """Give up a ticket: what has not begun will not begin, and its room is free."""
        ticket.abandoned = True
        self.waiting -= len(ticket.waiting)
        ticket.waiting.clear()
        count = len(ticket.open)
        ticket.open.clear()
        self._release(ticket, count)

    def _release(self, ticket: Ticket, count: int) -> None:
        """Free the room of ``count`` operations, which are no longer among the open ones."""
        if not count:
            return
        owner = ticket.owner
        self.held -= count
        if not ticket.open:
            self.held_bytes -= ticket.bytes
        left = self._held.get(owner, 0) - count
        if left > 0:
            self._held[owner] = left
        else:
            self._held.pop(owner, None)

    def _clock(self) -> None:
        """Learn from the gap between two results while there was always something to do."""
        now = time.monotonic()
        if self._last_finish is not None:
            gap = min(now - self._last_finish, _LONGEST_GAP_S)
            self._seconds_per_operation += _WEIGHT * (gap - self._seconds_per_operation)
        self._last_finish = now if self.held else None
