"""`AsyncVerifier`: the contract's operations for asynchronous callers."""

import asyncio
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, Literal, Self

import httpx

from trainer_client.config.run import VerifierConfig
from trainer_client.errors import VerifierError
from trainer_client.verifier.circuit import Circuit
from trainer_client.verifier.errand import Errand, Rules
from trainer_client.verifier.gather import Gatherer
from trainer_client.verifier.parcels import Order, Parcel, distinct, order, pack, pieces
from trainer_client.verifier.refusals import Settled
from trainer_client.verifier.results import Execution, Validation, Verdict
from trainer_client.verifier.retry import Backoff
from trainer_client.verifier.standins import Result
from trainer_client.verifier.transport import Transport

Mode = Literal["deduction", "abduction", "induction"]
GATHER_SECONDS = 0.004
"""How long a single call waits for others to travel with."""


class AsyncVerifier:
    """A client of one verifier, for one event loop; any number of tasks may use it at once.

    At most `config.concurrency` requests are in flight, whoever asks. Every method may raise:

        VerifierError   we sent something malformed, or without a good key: the message names the
                        field; nothing is gained by asking again
        VerifierAway    no answer within `config.patience_seconds`

    A text that the verifier does not take (too long, no literal) is no error but a result with the
    status ``refused``; an `infra_error` is asked for `config.retries` times more and then returned.
    """

    def __init__(
        self,
        config: VerifierConfig | None = None,
        key: str | None = None,
        *,
        backoff: Backoff | None = None,
        gather_seconds: float = GATHER_SECONDS,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        """Prepare; nothing is connected yet.

        Args:
            config: where the verifier is and how it is asked.
            key: the bearer key; None: the environment variable VERIFIER_KEY, if it is set.
            backoff: the waits between attempts.
            gather_seconds: how long a single call waits for others.
            transport: what carries requests instead of the network.

        Raises:
            ConfigError: the URL or the key cannot be one.
        """
        config = config or VerifierConfig()
        self._batch_items = config.batch_items
        self._transport = Transport(config, key, transport)
        self._circuit = Circuit(config.url, config.patience_seconds)
        self._rules = Rules(config.retries, config.patience_seconds, backoff or Backoff())
        self._slots = asyncio.Semaphore(config.concurrency)
        self._gatherer = Gatherer(self._gathered, gather_seconds, config.batch_items)

    async def __aenter__(self) -> Self:
        """Return the client."""
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the client."""
        await self.aclose()

    async def aclose(self) -> None:
        """Cancel what is gathered and close the connections."""
        await self._gatherer.close()
        await self._transport.aclose()

    async def batch(self, items: Sequence[Mapping[str, Any]]) -> list[Result]:
        """Return the results of /v1/batch items, in order, as the contract has them.

        Any number of items; identical ones are sent once and share one result, not to be changed.
        """
        return await self.deliver(order(items))

    async def deliver(self, asked: Order) -> list[Result]:
        """Return the results of items that are packed already; the same as `batch` otherwise."""
        found = await self._settle(asked.parcels)
        results: list[Result] = []
        for place in asked.places:
            result = found[place]
            if isinstance(result, VerifierError):
                raise result
            results.append(result)
        return results

    async def execute(self, program: str, inputs: Sequence[str], **fields: Any) -> Execution:
        """Call a program on inputs; further fields are those of the contract (``limits`` ...).

        Concurrent calls of this and the next two methods are gathered into few requests.
        """
        item = {"op": "execute", "program": program, "inputs": list(inputs), **fields}
        return Execution.from_json(await self._gatherer.ask(pack(item)))

    async def validate(self, program: str, input: str, **fields: Any) -> Validation:  # noqa: A002
        """Ask whether a task is worth posing; further fields are those of the contract."""
        item = {"op": "validate", "program": program, "input": input, **fields}
        return Validation.from_json(await self._gatherer.ask(pack(item)))

    async def verify(self, mode: Mode, program: str, **fields: Any) -> Verdict:
        """Judge an answer; the fields are those of the mode (``answer``, ``cases`` ...)."""
        item = {"op": "verify", "mode": mode, "program": program, **fields}
        return Verdict.from_json(await self._gatherer.ask(pack(item)))

    async def _gathered(self, parcels: Sequence[Parcel]) -> list[Settled]:
        """Return what became of each call, a call's own mistake in its own place."""
        asked = distinct(parcels)
        found = await self._settle(asked.parcels)
        return [found[place] for place in asked.places]

    async def _settle(self, parcels: Sequence[Parcel]) -> list[Settled]:
        """Send parcels in pieces; the first error ends all of them."""
        tasks = [
            asyncio.create_task(self._carry(piece)) for piece in pieces(parcels, self._batch_items)
        ]
        try:
            found = await asyncio.gather(*tasks)
        except BaseException:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            raise
        return [result for piece in found for result in piece]

    async def _carry(self, piece: Sequence[Parcel]) -> list[Settled]:
        # The slot is kept between attempts: a verifier in trouble is not asked by more of us.
        async with self._slots:
            return await Errand(self._transport, self._circuit, self._rules).run(piece)
