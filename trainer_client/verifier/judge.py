"""`Judge`: what a run asks of its verifier, whether it has a session or shares another's."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol


class Verdicts(Protocol):
    """Results under way."""

    def results(self) -> list[dict[str, Any]]:
        """Wait and return the results, in order."""
        ...


class Judge(Protocol):
    """Takes items and gives results; `Verifier` is one."""

    @property
    def waited(self) -> float:
        """Seconds that callers were blocked for results, since the start."""
        ...

    def greet(self) -> None:
        """Wait until it answers."""
        ...

    def submit(self, items: Sequence[Mapping[str, Any]]) -> Verdicts:
        """Send /v1/batch items and return at once."""
        ...

    def results(self, items: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Submit and wait."""
        ...

    def latencies(self) -> dict[str, float]:
        """Return quantiles (ms) of the last submits' time to results."""
        ...
