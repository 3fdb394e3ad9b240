"""How long something is tried again: waits between attempts, and the end of the patience."""

import time
from dataclasses import dataclass

from trainer_client.errors import VerifierAway
from trainer_client.verifier.circuit import Circuit
from trainer_client.verifier.retry import Backoff
from trainer_client.verifier.transport import Trouble


@dataclass(frozen=True)
class Rules:
    """How often and how long something is tried.

    Attributes:
        retries: times that an `infra_error`, or a request of one item that breaks, is tried again.
        patience: seconds without any answer after which the verifier counts as away for good.
        backoff: the waits between attempts.
    """

    retries: int
    patience: float
    backoff: Backoff


class Patience:
    """What is left of it for one caller: it begins with the first failure after an answer."""

    def __init__(self, circuit: Circuit, rules: Rules) -> None:
        self._circuit = circuit
        self._rules = rules
        self._failing_since: float | None = None

    def noticed(self) -> None:
        """Note that an attempt failed."""
        if self._failing_since is None:
            self._failing_since = time.monotonic()

    def away(self, reason: str) -> None:
        """Note that the verifier cannot be had, which is said once for all callers."""
        self.noticed()
        assert self._failing_since is not None
        self._circuit.failed(reason, self._failing_since)

    def answered(self) -> None:
        """Note that the verifier answered, whatever it said."""
        self._failing_since = None
        self._circuit.answered()

    async def wait(self, error: Trouble, attempt: int) -> None:
        """Wait before the attempt after this one: what the service asked for and the back-off.

        Raises:
            VerifierAway: the patience is at its end.
        """
        self.noticed()
        assert self._failing_since is not None
        left = self._failing_since + self._rules.patience - time.monotonic()
        if left <= 0:
            raise VerifierAway(
                f"the verifier could not be had for {self._rules.patience:g} s "
                f"(verifier.patience_seconds): {error}"
            ) from error
        seconds = error.wait + self._rules.backoff.seconds(attempt)
        await self._circuit.pause(min(seconds, left))
