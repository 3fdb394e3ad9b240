"""Driving a service from inside its own process: operations in, results out, bounded in flight."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, TypeVar

from executor_service.dispatch.submission import Submission
from executor_service.errors import RequestError
from executor_service.operations import AnyOperation, parse_operation
from executor_service.service import EmbeddedService

Result = dict[str, Any]
T = TypeVar("T")


def operation(name: str, **body: Any) -> AnyOperation:
    """Return the operation ``name`` with these fields."""
    return parse_operation(name, body)


async def carry_out(service: EmbeddedService, wanted: AnyOperation) -> Result:
    """Carry out one operation through the dispatcher.

    An operation that the service refuses has the status ``unacceptable`` and its message.
    """
    async for _, result in service.dispatcher.submit(Submission([wanted])):
        if isinstance(result, RequestError):
            where = f"{result.field}: " if result.field else ""
            return {"status": "unacceptable", "message": f"{where}{result}"}
        return dict(result)
    raise AssertionError("a submitted operation has a result")


def status_of(result: Result) -> str:
    """Return the one word that sums a result up."""
    if "valid" in result:
        return "valid" if result["valid"] else str(result["reason"])
    if "outcomes" in result:
        return str(result["outcomes"][0]["status"])
    return str(result["status"])


async def for_each(items: Iterable[T], work: Callable[[T], Awaitable[None]], width: int) -> None:
    """Do ``work`` on each item, ``width`` at a time; ``items`` is read as it is needed."""
    source = iter(items)

    async def client() -> None:
        for item in source:
            await work(item)

    await asyncio.gather(*[client() for _ in range(width)])


async def rate(work: Callable[[], Awaitable[int]], width: int, seconds: float) -> float:
    """Return how many things a second ``work`` gets done when ``width`` of it run at once.

    ``work`` returns how many it did. Nothing new is begun after ``seconds``; what is under way is
    waited for and counts, and so does the time that takes.
    """
    done = 0
    started = time.perf_counter()

    async def client() -> None:
        nonlocal done
        while time.perf_counter() - started < seconds:
            # Not in one statement: that would read the sum before the wait and lose the others'.
            count = await work()
            done += count

    await asyncio.gather(*[client() for _ in range(width)])
    return done / (time.perf_counter() - started)
