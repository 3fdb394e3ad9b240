"""More clients than a service can serve: what those that are served get, and what the rest is told.

*Closed*: so many clients, each with one verification at a time; the queue is as long as there are
clients. *Offered*: requests arrive at a rate of their own, whatever the service can do, and each
says how long it will wait; here the service has to refuse most of them, at once, so that the ones
that it takes are answered in time.
"""

import asyncio
import contextlib
import itertools
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from executor_service.bench.http_load import Connection, request_bytes
from executor_service.bench.ratios import percentile

OFFERED_BATCH: Final = 32
_CORRECT: Final = b'"status":"correct"'
_INFRA: Final = b'"status":"infra_error"'
_MOST_CONNECTIONS: Final = 2_000
_ANSWERED, _REFUSED = 200, 429


@dataclass
class Served:
    """What came of a load; latencies in milliseconds."""

    seconds: float = 0.0
    latency_ms: list[float] = field(default_factory=list)
    """Of the requests that were answered with results."""
    refusal_ms: list[float] = field(default_factory=list)
    """Of those that were answered 429."""
    offered: int = 0
    """Operations in all requests."""
    correct: int = 0
    late: int = 0
    """Operations answered ``infra_error``: taken in, and not carried out in time."""
    failed: int = 0
    """Operations that were answered in any other way, or not at all."""

    @property
    def rate(self) -> float:
        """Return correct verdicts a second."""
        return self.correct / self.seconds

    @property
    def refused_share(self) -> float:
        """Return the share of requests that were refused."""
        refused = len(self.refusal_ms)
        return refused / max(1, refused + len(self.latency_ms))

    def p(self, share: float) -> float | None:
        """Return a percentile of the answered requests' latency, None where there is none."""
        return percentile(self.latency_ms, share) if self.latency_ms else None

    def count(self, status: int, body: bytes, operations: int, milliseconds: float) -> None:
        """Count one answer."""
        self.offered += operations
        if status == _REFUSED:
            self.refusal_ms.append(milliseconds)
            return
        correct = body.count(_CORRECT) if status == _ANSWERED else 0
        late = body.count(_INFRA) if status == _ANSWERED else 0
        self.latency_ms.append(milliseconds)
        self.correct += correct
        self.late += late
        self.failed += operations - correct - late


async def closed(port: int, bodies: Sequence[bytes], clients: int, seconds: float) -> Served:
    """Have ``clients`` clients send single requests, each one when its last one is answered."""
    served, turn = Served(), itertools.cycle(bodies)
    started = time.perf_counter()

    async def client() -> None:
        connection = await Connection.open(port)
        while (sent := time.perf_counter()) - started < seconds:
            status, body = await connection.send(next(turn))
            served.count(status, body, 1, (time.perf_counter() - sent) * 1000)
        connection.close()

    await asyncio.gather(*[client() for _ in range(clients)])
    served.seconds = time.perf_counter() - started
    return served


async def offered(
    port: int, items: Sequence[dict[str, Any]], rate: float, *, patience: float, seconds: float
) -> Served:
    """Send batches at ``rate`` operations a second, each with ``patience`` seconds to wait.

    Latency counts from the moment at which a request was due: a client that cannot keep up does
    not make the service look quick.
    """
    served, free = Served(), list[Connection]()
    batches = _patient_batches(items, patience)
    turn = itertools.cycle(batches)
    started = time.perf_counter()
    total = int(rate * seconds / OFFERED_BATCH)
    limit = asyncio.Semaphore(_MOST_CONNECTIONS)

    async def one(due: float, request: bytes) -> None:
        async with limit:
            try:
                connection = free.pop() if free else await Connection.open(port)
                status, body = await connection.send(request)
            except (OSError, asyncio.IncompleteReadError):
                status, body = 0, b""
            else:
                free.append(connection)
        served.count(status, body, OFFERED_BATCH, (time.perf_counter() - due) * 1000)

    async with asyncio.TaskGroup() as tasks:
        for number in range(total):
            due = started + number * OFFERED_BATCH / rate
            if (early := due - time.perf_counter()) > 0:
                await asyncio.sleep(early)
            tasks.create_task(one(due, next(turn)))
    served.seconds = time.perf_counter() - started
    for connection in free:
        with contextlib.suppress(OSError):
            connection.close()
    return served


def _patient_batches(items: Sequence[dict[str, Any]], patience: float) -> list[bytes]:
    turn = itertools.cycle(items)
    count = max(1, len(items) // OFFERED_BATCH)
    requests = [
        request_bytes("POST", "/v1/batch", {"items": list(itertools.islice(turn, OFFERED_BATCH))})
        for _ in range(count)
    ]
    header = f"\r\nX-Request-Timeout: {patience:g}\r\nContent-Type".encode()
    return [request.replace(b"\r\nContent-Type", header, 1) for request in requests]
