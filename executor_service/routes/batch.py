"""``POST /v1/batch``: many operations in one request, answered together or as they finish."""

import contextlib
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any, Final

from fastapi import APIRouter, Request
from fastapi.responses import Response, StreamingResponse
from pydantic import BaseModel, ConfigDict, Field

from executor_service.items import ParsedItems, shown
from executor_service.routes.answers import answer, dump
from executor_service.routes.clients import submission, while_connected
from executor_service.routes.results import BatchResults, problem_responses
from executor_service.service import Service

router = APIRouter(tags=["operations"])
MAX_ITEMS: Final = 1024
NDJSON: Final = "application/x-ndjson"

EXAMPLE: dict[str, Any] = {
    "items": [
        {"op": "execute", "program": "def f(x):\n    return x + 1", "inputs": ["1", "2"]},
        {"op": "validate", "program": "def f(x):\n    return x + 1", "input": "1"},
        {
            "op": "verify",
            "mode": "abduction",
            "program": "def f(x):\n    return x + 1",
            "output": "2",
            "answer": "1",
        },
    ]
}


class BatchRequest(BaseModel):
    """1 to 1024 operations, each with its ``op``: execute, validate or verify."""

    model_config = ConfigDict(
        extra="forbid",
        use_attribute_docstrings=True,
        json_schema_extra={"examples": [EXAMPLE]},
    )

    items: list[Any] = Field(min_length=1, max_length=MAX_ITEMS)
    """The operations; an item that is not acceptable is answered in its place."""


@router.post(
    "/v1/batch",
    response_model=BatchResults,
    responses={
        200: {"content": {NDJSON: {"schema": {"type": "string"}}}},
        **problem_responses(400, 413, 422, 429),
    },
)
async def batch(request: Request, body: BatchRequest) -> Response:
    """Carry out many operations; with ``Accept: application/x-ndjson`` results stream."""
    service: Service = request.app.state.service
    parsed = ParsedItems(body.items)
    results = service.dispatcher.submit(submission(request, parsed.operations))
    if NDJSON in request.headers.get("accept", ""):
        first = await while_connected(request, _first(results))
        return StreamingResponse(_stream(parsed, first, results), media_type=NDJSON)
    ordered = await while_connected(request, _in_order(parsed, len(body.items), results))
    return answer({"results": ordered})


async def _first(results: AsyncGenerator[tuple[int, Any]]) -> tuple[int, Any] | None:
    """Wait for the first result, so that a refusal is still a status and no line of a stream."""
    return await anext(results, None)


async def _in_order(
    parsed: ParsedItems, count: int, results: AsyncGenerator[tuple[int, Any]]
) -> list[Any]:
    ordered: list[Any] = [None] * count
    for place, document in parsed.problems.items():
        ordered[place] = document
    async with contextlib.aclosing(results):
        async for index, result in results:
            ordered[parsed.places[index]] = shown(result)
    return ordered


async def _stream(
    parsed: ParsedItems, first: tuple[int, Any] | None, rest: AsyncGenerator[tuple[int, Any]]
) -> AsyncIterator[bytes]:
    # Closed with the response: a client that leaves takes its waiting operations with it.
    async with contextlib.aclosing(rest):
        for place, document in parsed.problems.items():
            yield dump({"index": place, **document}) + b"\n"
        if first is None:
            return
        yield _line(parsed, *first)
        async for index, result in rest:
            yield _line(parsed, index, result)


def _line(parsed: ParsedItems, index: int, result: Any) -> bytes:
    return dump({"index": parsed.places[index], **shown(result)}) + b"\n"
