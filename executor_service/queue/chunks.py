"""Chunks: the operations that travel to a worker together, and the messages that come back.

Everything on the way is JSON in pure ASCII, so that texts with lone surrogates arrive as they
were. Nothing is ever unpickled.
"""

import json
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from executor_service.dispatch.ticket import Place
from executor_service.errors import RequestError
from executor_service.operations import (
    AnyOperation,
    ExecuteOperation,
    ScriptOperation,
    ValidateOperation,
    parse_operation,
)

CHUNK_BYTES: Final = 4 * 1024 * 1024
"""Bytes of texts in one chunk, from which an operation travels alone."""
STARTED: Final = "started"
RESULT: Final = "result"
Message = list[Any]
"""``["started", chunk id, worker]`` or ``["result", chunk id, number, result]``."""


def operation_name(operation: AnyOperation) -> str:
    """Return the ``op`` of an operation."""
    if isinstance(operation, ExecuteOperation):
        return "execute"
    if isinstance(operation, ScriptOperation):
        return "script"
    return "validate" if isinstance(operation, ValidateOperation) else "verify"


@dataclass
class Chunk:
    """Operations that were or will be sent as one job of the queue."""

    places: Sequence[Place]
    attempt: int = 1
    id: str = field(default_factory=lambda: uuid.uuid4().hex)
    created: float = field(default_factory=time.monotonic)
    sent: float | None = None
    """When it got into the queue; None while it has not."""
    worker: str | None = None
    """Who said that it has started it."""
    started: float = 0.0
    """When that was said."""
    absences: int = 0
    """Times in a row that it was neither in the queue nor started."""

    def __post_init__(self) -> None:
        self.open = set(range(len(self.places)))
        """Numbers of the places that have no result yet."""

    @property
    def wanted(self) -> bool:
        """Tell whether anybody waits for what is still open."""
        return any(self.places[number].wanted for number in self.open)

    def payload(self, api: str) -> str:
        """Return the text that a worker gets."""
        requests = {place.ticket.request_id for place in self.places} - {""}
        return json.dumps(
            {
                "api": api,
                "chunk": self.id,
                "attempt": self.attempt,
                "requests": sorted(requests)[:8],
                "operations": [
                    [
                        operation_name(place.operation),
                        place.operation.model_dump(exclude_unset=True),
                    ]
                    for place in self.places
                ],
            },
            separators=(",", ":"),
        )


@dataclass(frozen=True)
class Order:
    """A chunk as its worker reads it."""

    api: str
    chunk: str
    attempt: int
    requests: tuple[str, ...]
    operations: list[AnyOperation]


def read_order(text: str) -> Order:
    """Return what a payload says.

    Raises:
        ValueError: It is none of ours.
    """
    data = json.loads(text)
    return Order(
        data["api"],
        data["chunk"],
        data["attempt"],
        tuple(data["requests"]),
        [parse_operation(name, body) for name, body in data["operations"]],
    )


def to_wire(result: Any) -> Any:
    """Return the JSON form of a result or of a refusal."""
    if isinstance(result, RequestError):
        return {"refused": str(result), "field": result.field}
    return result


def from_wire(data: Any) -> Any:
    """Return the result or the RequestError that ``to_wire`` was given."""
    if isinstance(data, dict) and "refused" in data:
        return RequestError(data["refused"], field=data["field"])
    return data


def cut(places: Sequence[Place], size: int, *, spread: int) -> list[Chunk]:
    """Cut operations into chunks of ``size`` at most, and so that ``spread`` workers get two each.

    No chunk has more than ``CHUNK_BYTES``, but a larger operation, which travels alone.

    Args:
        places: The operations.
        size: The most of them in one chunk.
        spread: Workers that are idle; 0 where all have something to do anyway.
    """
    share = -(-len(places) // (2 * spread)) if spread else size
    step = max(1, min(size, share))
    chunks: list[list[Place]] = []
    room = 0
    for place in places:
        if not chunks or len(chunks[-1]) == step or place.size > room:
            chunks.append([])
            room = CHUNK_BYTES
        chunks[-1].append(place)
        room -= place.size
    return [Chunk(chunk) for chunk in chunks]
