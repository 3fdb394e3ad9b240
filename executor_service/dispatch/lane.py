"""The order in which one owner's operations are served, and what it lets one promise.

Requests that say how long they wait come earliest deadline first: no other order keeps more of the
promises made at admission. Those that do not say take turns among themselves, and get one turn in
four however many of the others there are; in return those others can count on the rest.
"""

from bisect import bisect_left, bisect_right, insort
from collections import deque
from collections.abc import Iterator
from typing import Final

from executor_service.dispatch.ticket import Place, Ticket

_PATIENT_TURNS: Final = 3
"""Operations with a deadline between two without one, where there are both."""

_LOOKS: Final = 64
"""Deadlines that are compared at most when a request comes before others."""


def _deadline(ticket: Ticket) -> float:
    assert ticket.deadline is not None
    return ticket.deadline


class Lane:
    """One owner's tickets that have operations waiting."""

    def __init__(self) -> None:
        self._dated: list[Ticket] = []
        """Those with a deadline, the earliest first; of two equal ones, that which came first."""
        self._undated: deque[Ticket] = deque()
        """Those without one, in turn; one that was given up stays until its turn."""
        self._dated_waiting = 0
        self._undated_waiting = 0
        self._since_undated = 0
        """Operations with a deadline that were taken since the last one without, if that counts."""

    @property
    def waiting(self) -> int:
        """Return how many operations wait."""
        return self._dated_waiting + self._undated_waiting

    def add(self, ticket: Ticket) -> None:
        """Let a ticket's operations wait."""
        if ticket.deadline is None:
            self._undated.append(ticket)
            self._undated_waiting += len(ticket.waiting)
        else:
            insort(self._dated, ticket, key=_deadline)
            self._dated_waiting += len(ticket.waiting)

    def clear(self, ticket: Ticket) -> list[Place]:
        """Take all that waits of a ticket."""
        places = [Place(ticket, index, operation) for index, operation in ticket.waiting]
        ticket.waiting.clear()
        if ticket.deadline is None:
            self._undated_waiting -= len(places)
        elif places:
            self._dated_waiting -= len(places)
            first = bisect_left(self._dated, ticket.deadline, key=_deadline)
            del self._dated[self._dated.index(ticket, first)]
        return places

    def late(self, now: float) -> list[Ticket]:
        """Return the tickets whose clients have stopped waiting."""
        return self._dated[: bisect_right(self._dated, now, key=_deadline)]

    def take(self) -> Place | None:
        """Take the operation whose turn it is."""
        undated = self._undated_waiting and (
            not self._dated or self._since_undated >= _PATIENT_TURNS
        )
        return self._take_undated() if undated else self._take_dated()

    def _take_dated(self) -> Place | None:
        if not self._dated:
            return None
        ticket = self._dated[0]
        index, operation = ticket.waiting.popleft()
        self._dated_waiting -= 1
        self._since_undated = min(_PATIENT_TURNS, self._since_undated + 1)
        if not ticket.waiting:
            del self._dated[0]
        return Place(ticket, index, operation)

    def _take_undated(self) -> Place | None:
        while self._undated:
            ticket = self._undated.popleft()
            if ticket.waiting:
                index, operation = ticket.waiting.popleft()
                self._undated_waiting -= 1
                self._since_undated = 0
                if ticket.waiting:
                    self._undated.append(ticket)
                return Place(ticket, index, operation)
        return None

    def outlook(self, count: int, deadline: float | None) -> Iterator[tuple[float | None, int]]:
        """Tell what ``count`` more operations with ``deadline`` would mean for the owner.

        Yields:
            A deadline, and how many of the owner's waiting operations are taken until the last one
            that has it is: first of the newcomer, then of those that it would delay. Of many, some
            are looked at together: the first one's deadline with the last one's operations.
        """
        if deadline is None:
            # Turns may well let it go earlier; nothing was promised to those it delays.
            yield None, self.waiting + count
            return
        later = self._dated[bisect_right(self._dated, deadline, key=_deadline) :]
        waiting = [len(ticket.waiting) for ticket in later]
        dated = self._dated_waiting - sum(waiting) + count
        yield deadline, self._with_undated(dated)
        step = -(-len(later) // _LOOKS) or 1
        for first in range(0, len(later), step):
            dated += sum(waiting[first : first + step])
            yield later[first].deadline, self._with_undated(dated)

    def _with_undated(self, dated: int) -> int:
        """Return how many operations are taken until ``dated`` ones with a deadline are."""
        return dated + min(self._undated_waiting, -(-dated // _PATIENT_TURNS))
