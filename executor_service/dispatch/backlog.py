"""Operations that wait: bounded, and shared out in turn.

Owners take turns, and within an owner its requests do, so that neither a client with a thousand
requests nor a request with a thousand operations makes a single call wait for all of it. Room is
bounded; what does not fit, or would not be done within the client's patience, is refused at once,
before any of it has run.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from typing import Any, Final

from executor_service import logs
from executor_service.dispatch.submission import Submission
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
    def wanted(self) -> bool:
        """Tell whether anybody still waits for the result."""
        return not self.ticket.abandoned and self.index in self.ticket.open


def _unobserved(seconds: float) -> None:
    """Take no note."""


class Backlog:
    """All tickets of a process."""

    def __init__(self, capacity: int) -> None:
        """Make room for ``capacity`` operations, those under way included."""
        self.capacity = capacity
        """Operations that may wait or run at once."""
        self.on_begin: Callable[[float], None] = _unobserved
        """Told of each operation that is taken, how many seconds it had waited."""
        self._turns: dict[str, deque[Ticket]] = {}
        self._held: dict[str, int] = {}
        self.held = 0
        """Operations that wait or run."""
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
        ticket = Ticket(submission)
        if count:
            self.held += count
            self.waiting += count
            self._held[ticket.owner] = self._held.get(ticket.owner, 0) + count
            self._turns.setdefault(ticket.owner, deque()).append(ticket)
        return ticket

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
        ticket = place.ticket
        if place.index not in ticket.open:
            return False
        ticket.open.discard(place.index)
        self._release(ticket.owner, 1)
        self._clock()
        ticket.results.put_nowait((place.index, result))
        return True

    def abandon(self, ticket: Ticket) -> None:
        """Give up a ticket: what has not begun will not begin, and its room is free."""
        ticket.abandoned = True
        self.waiting -= len(ticket.waiting)
        ticket.waiting.clear()
        self._release(ticket.owner, len(ticket.open))
        ticket.open.clear()

    def _release(self, owner: str, count: int) -> None:
        self.held -= count
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
