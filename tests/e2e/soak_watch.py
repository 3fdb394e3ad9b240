"""Watching processes from outside while they work: memory, descriptors and how many there are.

Every second the resident memory and the open descriptors of processes are read from the host's
/proc: of the service's parts in sum, and of the sandboxes' processes one by one, as sandboxes are
replaced and start further zygotes when programs need them. What counts is the trend after a
warm-up: a line is laid through the samples (Theil and Sen's: the median of the slopes between all
pairs, which single peaks do not move), and what it rises from the first sample to the last is the
growth. Something has grown when that is above an absolute bound *and* above a share of its median:
the first lets small processes breathe, the second large ones.
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
MEMORY, DESCRIPTORS, PROCESSES = "memory", "descriptors", "processes"
BOUNDS = {MEMORY: 8 * MIB, DESCRIPTORS: 10, PROCESSES: 1}
"""Growth that is allowed anyway. Over 100,000 operations the first is 80 bytes for each."""
IN_SANDBOX = {MEMORY: 8 * MIB, DESCRIPTORS: 60}
"""The same for one process of a sandbox: a supervisor has ten descriptors for each zygote, and
starts further ones when a program first needs them. A run that left one would be seen at once: a
sandbox has 20,000 of them."""
SETTLING, LEAST_SECONDS = 15.0, 20.0
"""A process of a sandbox that began after the warm-up counts from the first of these on, and any
for the second at least, or for half of a short watch: a young supervisor starts zygotes, and a run
that allocates, on a machine busy with other things, lives long enough to be seen growing."""
SHARE = 0.05
"""Growth, as a share of the median, that is allowed anyway."""
_LEAST_SAMPLES = 6
_MOST_SAMPLES = 300
"""A fit takes all pairs; of more samples than this every second, third ... one counts."""
Pids = Callable[[], Iterable[int]]


@dataclass
class Series:
    """The samples of one thing of one part, or of one process."""

    part: str
    what: str
    bound: float
    """Growth that is allowed whatever the median is."""
    seconds: list[float] = field(default_factory=list)
    values: list[float] = field(default_factory=list)

    def add(self, second: float, value: float) -> None:
        """Add a sample."""
        self.seconds.append(second)
        self.values.append(value)

    def after(self, start: float) -> list[tuple[float, float]]:
        """Return the samples after ``start``."""
        return [(s, v) for s, v in zip(self.seconds, self.values, strict=True) if s >= start]

    def growth(self, start: float) -> float:
        """Return how much the line through the samples after ``start`` rises."""
        kept = self.after(start)
        kept = kept[:: max(1, len(kept) // _MOST_SAMPLES)]
        if len(kept) < _LEAST_SAMPLES:
            return 0.0
        slopes = [(b[1] - a[1]) / (b[0] - a[0]) for a, b in combinations(kept, 2)]
        return statistics.median(slopes) * (kept[-1][0] - kept[0][0])

    def settled(self, start: float) -> float:
        """Return ``start`` for a process that was there by then, else when it had lived a while."""
        return start if self.seconds[0] <= start else self.seconds[0] + SETTLING

    def spans(self, start: float) -> float:
        """Return the seconds between the first and the last sample after ``start``."""
        kept = self.after(start)
        return kept[-1][0] - kept[0][0] if kept else 0.0

    def has_grown(self, start: float) -> bool:
        """Tell whether it has grown after ``start`` by more than may be."""
        grown = self.growth(start)
        kept = [value for _, value in self.after(start)]
        return bool(kept) and grown > max(self.bound, SHARE * statistics.median(kept))

    def row(self, start: float) -> str:
        """Return one line for a report."""
        unit, scale = (" MiB", MIB) if self.what == MEMORY else ("", 1)
        kept = [value / scale for _, value in self.after(start)] or [0.0]
        return (
            f"{self.part}: {self.what} {min(kept):.0f} to {max(kept):.0f}{unit}, "
            f"trend {self.growth(start) / scale:+.1f}{unit} over {len(kept)} samples"
        )


class Watch(threading.Thread):
    """Samples until it is stopped."""

    def __init__(
        self, parts: Mapping[str, Pids], sandboxes: Pids = tuple, *, interval: float = 1.0
    ) -> None:
        """Watch processes.

        Args:
            parts: The service's parts, each with a way to learn its processes' ids now.
            sandboxes: A way to learn the ids of all processes in sandboxes.
            interval: Seconds between two samples.
        """
        super().__init__(name="watch", daemon=True)
        self.totals = {
            (part, what): Series(part, what, bound)
            for part in parts
            for what, bound in BOUNDS.items()
        }
        self.single: dict[tuple[int, str], Series] = {}
        """Of each process of the sandboxes that was there in two samples: runs come and go."""
        self.most_in_sandboxes = 0
        self.warm_at = time.monotonic()
        self._parts = dict(parts)
        self._sandboxes = sandboxes
        self._earlier: set[int] = set()
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
            RuntimeError: Sampling has failed, or there is too little of it to tell anything.
        """
        self._stopping.set()
        self.join()
        if self._failure is not None:
            raise RuntimeError("the processes could not be watched") from self._failure
        if any(len(one.after(self.warm_at)) < _LEAST_SAMPLES for one in self.totals.values()):
            raise RuntimeError("too few samples after the warm-up: soak for longer")

    def complaints(self) -> list[str]:
        """Return what has grown since it was warm."""
        found = [
            one.row(self.warm_at) for one in self.totals.values() if one.has_grown(self.warm_at)
        ]
        return found + [one.row(start) for one, start in self._settled() if one.has_grown(start)]

    def rows(self) -> list[str]:
        """Return a line for each part, and for what grew most in the sandboxes."""
        found = [one.row(self.warm_at) for one in self.totals.values()]
        for what in (MEMORY, DESCRIPTORS):
            single = [(one, start) for one, start in self._settled() if one.what == what]
            if single:
                most, start = max(single, key=lambda found: found[0].growth(found[1]))
                found.append(f"most of {len(single)} in sandboxes: {most.row(start)}")
        return found

    def _settled(self) -> list[tuple[Series, float]]:
        """Return the processes of sandboxes that lived long enough, and since when they count."""
        found = [(one, one.settled(self.warm_at)) for one in self.single.values()]
        watched = max((one.seconds[-1] for one, _ in found), default=self.warm_at) - self.warm_at
        least = min(LEAST_SECONDS, watched / 2)
        return [(one, start) for one, start in found if one.spans(start) >= least]

    def _sample(self) -> None:
        now = time.monotonic()
        for part, pids in self._parts.items():
            sizes = {pid: resident_bytes(pid) for pid in pids()}
            self.totals[part, MEMORY].add(now, sum(sizes.values()))
            self.totals[part, DESCRIPTORS].add(now, sum(map(open_descriptors, sizes)))
            self.totals[part, PROCESSES].add(now, sum(size > 0 for size in sizes.values()))
        there = set(self._sandboxes())
        for pid in there & self._earlier:
            if (size := resident_bytes(pid)) > 0:
                self._series(pid, MEMORY).add(now, size)
                self._series(pid, DESCRIPTORS).add(now, open_descriptors(pid))
        self._earlier = there
        self.most_in_sandboxes = max(self.most_in_sandboxes, len(there))

    def _series(self, pid: int, what: str) -> Series:
        new = Series(f"process {pid}", what, IN_SANDBOX[what])
        return self.single.setdefault((pid, what), new)


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
