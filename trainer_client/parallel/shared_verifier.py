"""`SharedVerifier`: the first rank asks the verifier, all ranks get its answers."""

import time
from collections.abc import Mapping, Sequence
from typing import Any

from trainer_client.parallel.ranks import Ranks
from trainer_client.verifier.judge import Judge, Verdicts


class SharedVerifier:
    """A verifier for all ranks; the methods are those of `Judge`.

    All ranks ask for the same, in the same order. What the first rank is denied, all are.
    """

    def __init__(self, ranks: Ranks, own: Judge | None) -> None:
        """Take the first rank's session; the others have none."""
        self._ranks = ranks
        self._own = own
        self.waited = 0.0

    def greet(self) -> None:
        """Wait until the verifier answers the first rank."""
        self._ranks.first_says(lambda: self._own.greet() if self._own else None)

    def submit(self, items: Sequence[Mapping[str, Any]]) -> Verdicts:
        """Send the items, on the first rank, and return at once."""
        return _Shared(self, self._own.submit(items) if self._own else None)

    def results(self, items: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Submit and wait."""
        return self.submit(items).results()

    def latencies(self) -> dict[str, float]:
        """Return quantiles on the first rank, nothing elsewhere."""
        return self._own.latencies() if self._own else {}

    def await_results(self, pending: Verdicts | None) -> list[dict[str, Any]]:
        """Wait for the first rank's results, counting the wait."""
        began = time.monotonic()
        found = self._ranks.first_says(lambda: pending.results() if pending else None)
        self.waited += time.monotonic() - began
        assert isinstance(found, list)
        return found


class _Shared:
    """Results under way."""

    def __init__(self, verifier: SharedVerifier, pending: Verdicts | None) -> None:
        self._verifier = verifier
        self._pending = pending

    def results(self) -> list[dict[str, Any]]:
        """Return the results, in order."""
        return self._verifier.await_results(self._pending)


def shared(own: Judge | None, ranks: Ranks) -> Judge:
    """Return the verifier of a whole run: the only rank's own, or the first one's for all."""
    return own if own is not None and ranks.size == 1 else SharedVerifier(ranks, own)
