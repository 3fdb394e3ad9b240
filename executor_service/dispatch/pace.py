"""How quickly results come: what a promise about time rests on.

Seconds for each result, over the time in which there was something to do. Two memories, of 0.3 s
and of 3 s: the slower of the two counts, so that a service that becomes slow is believed at once,
and one that becomes quick when it has been so for a while. Both weigh time and not results: results
arrive in bursts, and the many short gaps inside one say nothing. A promise that is too careful
costs no throughput, only a shorter queue; one that is not costs the work.
"""

import math
from typing import Final

FIRST_GUESS_S: Final = 0.01
_FIRST_RESULTS: Final = 10
"""Results that the first guess counts for."""
_SHORT_S: Final = 0.3
_LONG_S: Final = 3.0
_LONGEST_GAP_S: Final = 5.0
_DOUBT_S: Final = 1.0
"""Seconds of idleness that halve what an old measurement is worth."""
_EVIDENCE: Final = 100
"""Results from which a pace counts as one that was reached."""


class _Memory:
    """Time and results, of which ``span`` seconds ago counts a third."""

    def __init__(self, span: float) -> None:
        self._span = span
        self.seconds = FIRST_GUESS_S * _FIRST_RESULTS
        self.results = float(_FIRST_RESULTS)

    def add(self, gap: float) -> None:
        kept = math.exp(-gap / self._span)
        self.seconds = self.seconds * kept + gap
        self.results = self.results * kept + 1

    def pace(self, gap: float) -> float:
        """Return the seconds for a result, if there has been none for ``gap`` seconds."""
        return max(self.seconds / self.results, (self.seconds + gap) / (self.results + 1))


class Pace:
    """Learns the seconds between two results while there is work."""

    def __init__(self, now: float) -> None:
        """Know nothing yet at ``now``, in seconds of any clock that only moves forward."""
        self._short = _Memory(_SHORT_S)
        self._long = _Memory(_LONG_S)
        self._busy_since: float | None = None
        """When the last result came, or the work began if that was later; None without work."""
        self._idle_since = now
        self._quickest = 0.0
        """The best that was ever reached, in seconds for a result; 0 where that is not known."""

    def busy(self, now: float) -> None:
        """Note that there is work."""
        if self._busy_since is None:
            self._busy_since = now

    def idle(self, now: float) -> None:
        """Note that there is none."""
        self._busy_since = None
        self._idle_since = now

    def result(self, now: float) -> None:
        """Note that an operation is done."""
        if self._busy_since is None:
            return
        gap = min(now - self._busy_since, _LONGEST_GAP_S)
        self._busy_since = now
        self._short.add(gap)
        self._long.add(gap)
        if self._long.results >= _EVIDENCE:
            reached = self._long.seconds / self._long.results
            self._quickest = min(self._quickest or reached, reached)

    def seconds(self, now: float) -> float:
        """Return the seconds for each operation that are to be expected.

        Without any work they fall, down to the best that was ever reached: what was slow long ago
        need not be so now, and who refuses everything for it never learns.
        """
        if self._busy_since is None:
            measured = max(self._short.pace(0.0), self._long.pace(0.0))
            worth: float = 0.5 ** min(100.0, (now - self._idle_since) / _DOUBT_S)
            return max(self._quickest, measured * worth)
        gap = min(now - self._busy_since, _LONGEST_GAP_S)
        return max(self._short.pace(gap), self._long.pace(gap))
