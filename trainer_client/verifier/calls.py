"""Requests to the endpoints beside /v1/batch, tried again while the verifier is away or busy."""

from itertools import count
from typing import Any

from trainer_client.errors import VerifierError
from trainer_client.verifier.circuit import Circuit
from trainer_client.verifier.patience import Patience, Rules
from trainer_client.verifier.transport import Broken, Busy, TooLarge, Transport, Trouble


class Calls:
    """Asks until there is an answer, or the patience is at its end."""

    def __init__(self, transport: Transport, circuit: Circuit, rules: Rules) -> None:
        self._transport = transport
        self._circuit = circuit
        self._rules = rules

    async def get(self, path: str) -> Any:
        """Return what a path has to say.

        Raises:
            VerifierAway: the verifier could not be had for longer than the patience.
            VerifierError: it does not take the request.
        """
        return await self.send("GET", path)

    async def send(
        self, method: str, path: str, content: bytes = b"", headers: dict[str, str] | None = None
    ) -> Any:
        """Return the answer to a request that may be sent more than once.

        Raises:
            VerifierAway: the verifier could not be had for longer than the patience.
            VerifierError: it does not take the request, or breaks over it each time.
        """
        patience = Patience(self._circuit, self._rules)
        for attempt in count(1):
            try:
                document = await self._transport.call(method, path, content, headers)
            except TooLarge as error:
                patience.answered()
                raise VerifierError(f"{path}: {error}") from error
            except Trouble as error:
                if isinstance(error, Broken) and attempt > self._rules.retries:
                    raise VerifierError(f"{path}: not answered each time: {error}") from error
                if isinstance(error, Busy):
                    self._circuit.answered()
                elif attempt > 1:
                    patience.away(str(error))
                await patience.wait(error, attempt)
            except VerifierError:
                patience.answered()
                raise
            else:
                patience.answered()
                return document
        raise AssertionError("unreachable: the attempts have no end")
