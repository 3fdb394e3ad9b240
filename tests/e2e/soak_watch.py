"""Watching processes from outside while they work: memory, descriptors and how many there are.

Every second the resident memory, the open descriptors and the number of the processes of each part
are read from the host's /proc. What counts is the trend after a warm-up: a line is laid through
the samples (Theil and Sen's: the median of the slopes between all pairs, which single peaks do not
move), and what it rises from the first sample to the last is the growth. A part has grown when that is above
an absolute bound *and* above a share of its median: the first lets small processes breathe, the
second large ones. In the sandboxes only processes count that were there two samples before: the
runs themselves come and go.
"""

import os
import statistics
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path

MIB = 1 << 20
BOUNDS = {"memory": 8 * MIB, "descriptors": 10, "processes": 4}
"""Growth that is allowed anyway. Over 100,000 operations the first is 80 bytes for each."""
SHARE = 0.1
"""Growth, as a share of the median, that is allowed anyway."""
_MOST_PAIRS = 300
Pids = Callable[[], Iterable[int]]


@dataclass
class Series:
    """The samples of one thing of one part."""

    part: str
    what: str
    seconds: list[float] = field(default_factory=list)
    values: list[float] = field(default_factory=list)

    def growth(self, start: float) -> float:
        """Return how much the line through the samples after ``start`` rises."""
        kept = [(s, v) for s, v in zip(self.seconds, self.values, strict=True) if s >= start]
        step = max(1, len(kept) // _MOST_PAIRS)
        kept = kept[::step]
        if len(kept) < 3:
            return 0.0
        slopes = [(b[1] - a[1]) / (b[0] - a[0]) for a, b in combinations(kept, 2)]
        return statistics.median(slopes) * (kept[-1][0] - kept[0][0])

    def complaint(self, start: float) -> str | None:
        """Return a line when it has grown after ``start``, or None."""
        grown, median = self.growth(start), statistics.median(self.values or [0.0])
        if grown <= BOUNDS[self.what] or grown <= SHARE * median:
            return None
        unit = f"{grown / MIB:.1f} MiB" if self.what == "memory" else f"{grown:.0f}"
        return f"{self.part}: {self.what} grew by {unit}, from {self._shown(start)}"

    def row(self, start: float) -> str:
        """Return one line for a report."""
        grown = self.growth(start)
        shown = f"{grown / MIB:+.1f} MiB" if self.what == "memory" else f"{grown:+.0f}"
        return f"{self.part:10} {self.what:12} {self._shown(start):>24}  {shown}"

    def _shown(self, start: float) -> str:
        kept = [v for s, v in zip(self.seconds, self.values, strict=True) if s >= start] or [0.0]
        scale = MIB if self.what == "memory" else 1
        low, high = min(kept) / scale, max(kept) / scale
        return f"{low:.0f}..{high:.0f}{' MiB' if self.what == 'memory' else ''}"


class Watch(threading.Thread):
    """Samples until it is stopped."""

    def __init__(self, parts: Mapping[str, Pids], *, interval: float = 1.0) -> None:
        """``parts``: what to watch, each with a way to learn its processes' ids now."""
        super().__init__(name="watch", daemon=True)
        self.series = [Series(part, what) for part in parts for what in BOUNDS]
        self.warm_at = 0.0
        self._parts = dict(parts)
        self._seen: dict[str, list[set[int]]] = {part: [] for part in parts}
        self._interval = interval
        self._stopping = threading.Event()
        self._failure: Exception | None = None

    def warm(self) -> None:
        """Say that from now on nothing may grow."""
        self.warm_at = time.monotonic()

    def run(self) -> None:
        """Take samples."""
        try:
            while not self._stopping.wait(self._interval):
                self._sample()
        except Exception as error:
            self._failure = error

    def stop(self) -> None:
        """Take no further sample.

        Raises:
            RuntimeError: Sampling has failed.
        """
        self._stopping.set()
        self.join()
        if self._failure is not None:
            raise RuntimeError("the processes could not be watched") from self._failure

    def complaints(self) -> list[str]:
        """Return what has grown since it was warm."""
        found = [one.complaint(self.warm_at) for one in self.series]
        return [line for line in found if line is not None]

    def rows(self) -> list[str]:
        """Return a line for each series."""
        return [one.row(self.warm_at) for one in self.series]

    def _sample(self) -> None:
        now = time.monotonic()
        for part, pids in self._parts.items():
            alive = set(pids())
            earlier = self._seen[part]
            earlier.append(alive)
            if len(earlier) < 3:
                continue
            lasting = alive & earlier[0]
            del earlier[0]
            memory = [resident_bytes(pid) for pid in lasting]
            figures = {
                "memory": sum(memory),
                "descriptors": sum(open_descriptors(pid) for pid in lasting),
                "processes": sum(size > 0 for size in memory),
            }
            for one in self.series:
                if one.part == part:
                    one.seconds.append(now)
                    one.values.append(figures[one.what])


def resident_bytes(pid: int) -> int:
    """Return a process's resident memory; 0 where it has gone."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE")
    except OSError:
        return 0


def open_descriptors(pid: int) -> int:
    """Return how many descriptors a process has open; 0 where it has gone or is another user's."""
    try:
        return len(os.listdir(f"/proc/{pid}/fd"))
    except OSError:
        return 0
