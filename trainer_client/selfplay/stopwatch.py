"""Where a step's time went: seconds by phase, and the share spent waiting for the verifier."""

import time
from collections.abc import Iterator
from contextlib import contextmanager


class Stopwatch:
    """Adds up seconds by phase; a phase may be entered many times, but not inside another."""

    def __init__(self) -> None:
        """Start the whole."""
        self._began = time.perf_counter()
        self._seconds: dict[str, float] = {}

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Count the time inside to a phase, also when it ends with an error."""
        began = time.perf_counter()
        try:
            yield
        finally:
            self._seconds[name] = self._seconds.get(name, 0.0) + time.perf_counter() - began

    @property
    def elapsed(self) -> float:
        """Seconds since the start."""
        return time.perf_counter() - self._began

    def phases(self) -> dict[str, float]:
        """Return the seconds by phase."""
        return {f"time/{name}": seconds for name, seconds in self._seconds.items()}

    def metrics(self, waited: float) -> dict[str, float]:
        """Return the seconds by phase, of the whole, and what part of it the verifier kept us.

        Args:
            waited: seconds in which nothing was done but wait for verdicts.
        """
        whole = self.elapsed
        found = self.phases()
        found["time/step"] = whole
        found["time/waiting"] = waited
        found["time/waiting_share"] = waited / whole
        return found
