"""Who asks, how long they wait, and whether they are still there."""

import asyncio
import contextlib
import math
from collections.abc import Coroutine, Sequence
from typing import Any, Final

from fastapi import Request

from executor_service.access.rate_limit import charge
from executor_service.dispatch.submission import ANONYMOUS, Submission
from executor_service.errors import ClientLeft, RateLimited, RequestError
from executor_service.operations import AnyOperation
from executor_service.service import Service

TIMEOUT_HEADER: Final = "X-Request-Timeout"
"""Seconds that the client will wait for the answer."""
_FIRST_LOOK_S: Final = 0.05
"""An answer that is there sooner costs no look at the connection."""


def owner_of(request: Request) -> str:
    """Return the name of the key that the request came with."""
    owner: str = getattr(request.state, "owner", ANONYMOUS)
    return owner


def submission(
    request: Request, operations: Sequence[AnyOperation], *, patience: float | None = None
) -> Submission:
    """Return what the request hands in.

    Args:
        request: The request; what it says of the client's patience counts.
        operations: What it asks for.
        patience: Seconds that such a client waits, where it does not say.

    Raises:
        RequestError: The timeout header is not a number of seconds.
        RateLimited: The key has submitted too much already.
    """
    handed_in = Submission(
        operations,
        owner=owner_of(request),
        patience=patience_of(request) or patience,
        request_id=getattr(request.state, "request_id", ""),
    )
    charge_counted(request, len(operations))
    return handed_in


def charge_counted(request: Request, operations: int) -> None:
    """Count what the request submits against its key, and a refusal in the metrics.

    Raises:
        RateLimited: The key has submitted too much already.
    """
    try:
        charge(request, operations)
    except RateLimited:
        service: Service = request.app.state.service
        service.metrics.rate_limited(max(1, operations))
        raise


def patience_of(request: Request) -> float | None:
    """Return the seconds that the client says it waits, or None."""
    text = request.headers.get(TIMEOUT_HEADER)
    if text is None:
        return None
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 < seconds < math.inf:
        raise RequestError("a positive number of seconds is wanted", field=TIMEOUT_HEADER)
    return seconds


async def while_connected(request: Request, work: Coroutine[Any, Any, Any]) -> Any:
    """Return what ``work`` returns; cancel it when the client leaves.

    Raises:
        ClientLeft: The connection was closed; nobody reads the answer.
    """
    task = asyncio.ensure_future(work)
    try:
        done, _ = await asyncio.wait((task,), timeout=_FIRST_LOOK_S)
        if not done:
            gone = asyncio.ensure_future(_disconnected(request))
            try:
                await asyncio.wait((task, gone), return_when=asyncio.FIRST_COMPLETED)
            finally:
                gone.cancel()
    finally:
        if not task.done():
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
    if task.cancelled():
        raise ClientLeft
    return task.result()


async def _disconnected(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
