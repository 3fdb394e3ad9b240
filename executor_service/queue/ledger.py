"""The chunks that are out, and what to do when one does not come back.

The API process that took an operation in is the one that sees to its result: it keeps the
operation until then, and sends it again when the worker that had it is gone or when the queue lost
it. A worker that was only slow may still answer; the first result counts. An operation whose
worker died three times is answered ``infra_error``: it may be what kills them, and from the second
time on it travels alone, so that its neighbours do not share its fate.
"""

import time
import weakref
from collections import OrderedDict
from collections.abc import Collection, Iterator, Mapping
from typing import Any, Final

from executor_service.dispatch.backlog import Backlog
from executor_service.dispatch.ticket import Place, Ticket
from executor_service.queue.chunks import Chunk

ATTEMPTS: Final = 3
_UNSEEN_S: Final = 3.0
"""Age from which a chunk that nobody has started is looked for in the queue."""
_ABSENCES: Final = 2
_REMEMBERED: Final = 16_384
"""Operations that were sent anew and whose first sending may still be answered."""

Former = dict[int, tuple["weakref.ref[Ticket]", int]]
"""Whom the results of a chunk that was sent anew are for: number → (ticket, index)."""


class Ledger:
    """What is out, by chunk id."""

    def __init__(self, backlog: Backlog, *, unheard: float) -> None:
        """``unheard``: seconds after which a started chunk must be in its worker's heartbeat."""
        self._backlog = backlog
        self._unheard = unheard
        self._out: dict[str, Chunk] = {}
        self._former: OrderedDict[str, Former] = OrderedDict()
        """Chunks that were sent anew: their results still count if they come first. Only whom
        they are for is kept, and nobody is kept in memory by it."""
        self._remembered = 0
        self.operations = 0
        """Operations that are out."""
        self.resent = 0
        """Chunks sent again since the start."""
        self.given_up = 0
        """Operations answered ``infra_error`` by the ledger since the start."""

    def __iter__(self) -> Iterator[Chunk]:
        return iter(list(self._out.values()))

    def __len__(self) -> int:
        return len(self._out)

    def add(self, chunk: Chunk) -> None:
        """Note that ``chunk`` is on its way."""
        self._out[chunk.id] = chunk
        self.operations += len(chunk.open)

    def remove(self, chunk: Chunk) -> None:
        """Forget a chunk: nobody wants its results any more."""
        if self._out.pop(chunk.id, None) is not None:
            self.operations -= len(chunk.open)

    def _remember(self, chunk: Chunk) -> None:
        """Keep in mind whom late results of a chunk would be for."""
        former: Former = {}
        for number in chunk.open:
            place = chunk.places[number]
            if place.wanted:
                former[number] = (weakref.ref(place.ticket), place.index)
        if former:
            self._former[chunk.id] = former
            self._remembered += len(former)
        while self._remembered > _REMEMBERED:
            self._remembered -= len(self._former.popitem(last=False)[1])

    def started(self, chunk_id: str, worker: str) -> None:
        """Note who has started a chunk."""
        if (chunk := self._out.get(chunk_id)) is not None:
            chunk.worker = worker
            chunk.started = time.monotonic()

    def result(self, chunk_id: str, number: int, result: Any) -> bool:
        """Hand on a result; return whether it was the first one for its operation."""
        if (chunk := self._out.get(chunk_id)) is None:
            return self._late_result(chunk_id, number, result)
        if number not in chunk.open:
            return False
        chunk.open.discard(number)
        self.operations -= 1
        if not chunk.open:
            del self._out[chunk_id]
        return self._backlog.finish(chunk.places[number], result)

    def _late_result(self, chunk_id: str, number: int, result: Any) -> bool:
        former = self._former.get(chunk_id, {})
        if (whose := former.pop(number, None)) is None:
            return False
        self._remembered -= 1
        if not former:
            del self._former[chunk_id]
        ticket, index = whose[0](), whose[1]
        return ticket is not None and self._backlog.answer(ticket, index, result)

    def lost(self, alive: Mapping[str, Mapping[str, Any]]) -> list[Chunk]:
        """Return the started chunks whose worker is dead, or knows nothing of them.

        Args:
            alive: What each live worker said with its last heartbeat.
        """
        settled = time.monotonic() - self._unheard
        return [
            chunk
            for chunk in self
            if chunk.worker is not None
            and (
                chunk.worker not in alive
                or (chunk.started < settled and chunk.id not in alive[chunk.worker]["in_hand"])
            )
        ]

    def unseen(self) -> list[Chunk]:
        """Return the chunks that nobody has started for so long that one should look for them."""
        now = time.monotonic()
        return [
            chunk
            for chunk in self
            if chunk.worker is None and chunk.sent is not None and now - chunk.sent > _UNSEEN_S
        ]

    def absent(self, chunk: Chunk, *, queued: bool) -> bool:
        """Note whether ``chunk`` was found in the queue; return whether it counts as lost."""
        chunk.absences = 0 if queued else chunk.absences + 1
        return chunk.absences >= _ABSENCES

    def again(self, chunk: Chunk) -> list[Chunk]:
        """Take back a chunk that is lost; return what is to be sent instead of it."""
        self.remove(chunk)
        places = [chunk.places[number] for number in sorted(chunk.open)]
        places = [place for place in places if place.wanted]
        if chunk.attempt >= ATTEMPTS:
            self.give_up(places, f"the workers that had it died, {ATTEMPTS} times")
            return []
        self._remember(chunk)
        self.resent += 1
        return [Chunk([place], attempt=chunk.attempt + 1) for place in places]

    def give_up(self, places: Collection[Place], why: str) -> None:
        """Answer operations as an infrastructure error: no score, try again."""
        for place in places:
            if self._backlog.give_up(place, why):
                self.given_up += 1
