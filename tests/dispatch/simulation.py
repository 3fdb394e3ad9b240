"""An overloaded service without real time: a scripted clock, arrivals and executors."""

import heapq
import itertools
import random
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from executor_service.dispatch.backlog import Backlog
from executor_service.dispatch.submission import Submission
from executor_service.dispatch.ticket import Place, Ticket
from executor_service.errors import QueueFull
from executor_service.operations import parse_operation

OPERATION = parse_operation("execute", {"program": "x", "inputs": ["1"]})
BATCH = 32


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def submission(count: int, owner: str = "a", patience: float | None = None) -> Submission:
    return Submission([OPERATION] * count, owner=owner, patience=patience)


@dataclass
class Tally:
    """What came of one kind of request, in operations."""

    admitted: int = 0
    refused: int = 0
    in_time: int = 0
    """Carried out, with the result there before the deadline."""

    @property
    def share_in_time(self) -> float:
        return self.in_time / self.admitted


@dataclass
class Executor:
    """So many sandboxes, in the process or, with a window, behind a queue.

    Behind a queue up to ``window`` operations are out, which are served in the order in which they
    went; their results come back together, every ``burst`` seconds.
    """

    slots: int
    service: Callable[[float, random.Random], float]
    """Seconds of one operation that begins at a time."""
    window: int = 0
    burst: float = 0.0
    out: deque[Place] = field(default_factory=deque)


def arrivals(
    rate: float, begin: float, end: float, kinds: Iterable[Submission]
) -> list[tuple[float, Submission]]:
    """Return requests at ``rate`` operations a second, of ``kinds`` in turn."""
    turn, at, found = itertools.cycle(kinds), begin, []
    while at < end:
        found.append((at, next(turn)))
        at += len(found[-1][1].operations) / rate
    return found


class Simulation:
    """Runs a backlog; tallies are by owner and patience."""

    def __init__(self, executor: Executor, seed: int = 1) -> None:
        self.clock = Clock()
        self.backlog = Backlog(16_384, clock=self.clock)
        self.tallies: dict[tuple[str, float | None], Tally] = {}
        self.begun_late = 0
        """Operations that began although their deadline had passed."""
        self._executor = executor
        self._random = random.Random(seed)
        self._kinds: dict[Ticket, Tally] = {}
        self._events: list[tuple[float, int, object]] = []
        self._numbers = itertools.count()
        self._busy = 0

    def run(self, requests: Iterable[tuple[float, Submission]]) -> None:
        """Let requests come at their times, and go on until nothing is left to do."""
        for at, request in requests:
            self._at(at, request)
        while self._events:
            self.clock.now, _, event = heapq.heappop(self._events)
            if isinstance(event, Submission):
                self._arrive(event)
            elif isinstance(event, Place):
                self._busy -= 1
                self._at(self._return_time(), (event,))
            else:
                self._results(event)
            self._begin()

    def _at(self, when: float, event: object) -> None:
        heapq.heappush(self._events, (when, next(self._numbers), event))

    def _return_time(self) -> float:
        burst = self._executor.burst
        return (self.clock.now // burst + 1) * burst if burst else self.clock.now

    def _arrive(self, request: Submission) -> None:
        tally = self.tallies.setdefault((request.owner, request.patience), Tally())
        try:
            ticket = self.backlog.admit(request)
        except QueueFull:
            tally.refused += len(request.operations)
        else:
            tally.admitted += len(request.operations)
            self._kinds[ticket] = tally

    def _results(self, places: Iterable[Place]) -> None:
        for place in places:
            finished = self.backlog.finish(place, {})
            if finished and not place.ticket.expired(self.clock.now):
                self._kinds[place.ticket].in_time += 1

    def _begin(self) -> None:
        executor = self._executor
        self._refill()
        while self._busy < executor.slots:
            place = executor.out.popleft() if executor.out else None
            if place is None and not executor.window:
                place = self._take()
            if place is None:
                return
            self._busy += 1
            seconds = executor.service(self.clock.now, self._random)
            self._at(self.clock.now + seconds, place)

    def _refill(self) -> None:
        window = self._executor.window
        room = window - (self.backlog.held - self.backlog.waiting)
        if window and room >= min(self.backlog.waiting, window // 4):
            for _ in range(room):
                if (place := self._take()) is None:
                    return
                self._executor.out.append(place)

    def _take(self) -> Place | None:
        place = self.backlog.take()
        if place is not None and place.ticket.expired(self.clock.now):
            self.begun_late += 1
        return place
