"""``POST /v1/execute``, ``/v1/validate``, ``/v1/verify`` and ``GET /v1/policy``."""

import contextlib
from typing import Annotated, Any

from fastapi import APIRouter, Body, Request
from fastapi.responses import Response

from executor_service.dispatch.submission import Dispatcher, Submission
from executor_service.errors import RequestError
from executor_service.operations import (
    AbductionOperation,
    AnyOperation,
    AnyVerify,
    DeductionOperation,
    ExecuteOperation,
    InductionOperation,
    ValidateOperation,
)
from executor_service.routes.answers import answer
from executor_service.routes.clients import submission, while_connected
from executor_service.routes.results import (
    ExecuteResult,
    PolicyResult,
    Validation,
    VerdictResult,
    problem_responses,
)
from executor_service.service import Service
from executor_service.verifier.policy import DEFAULT_POLICY, describe

router = APIRouter(tags=["operations"])
_REFUSALS = problem_responses(400, 413, 422, 429)

_VERIFY_EXAMPLES: dict[str, Any] = {
    model.__name__.removesuffix("Operation").lower(): {
        "value": model.model_config["json_schema_extra"]["examples"][0]  # type: ignore[index]
    }
    for model in (DeductionOperation, AbductionOperation, InductionOperation)
}


async def _one(request: Request, operation: AnyOperation) -> Response:
    service: Service = request.app.state.service
    work = _first(service.dispatcher, submission(request, (operation,)))
    result = await while_connected(request, work)
    if isinstance(result, RequestError):
        raise result
    return answer(result)


async def _first(dispatcher: Dispatcher, submission: Submission) -> Any:
    async with contextlib.aclosing(dispatcher.submit(submission)) as results:
        _, result = await anext(results)
    return result


@router.post("/v1/execute", response_model=ExecuteResult, responses=_REFUSALS)
async def execute(request: Request, operation: ExecuteOperation) -> Response:
    """Call a program on inputs, each in a process of its own."""
    return await _one(request, operation)


@router.post("/v1/validate", response_model=Validation, responses=_REFUSALS)
async def validate(request: Request, operation: ValidateOperation) -> Response:
    """Say whether a task is worth posing: allowed, running and deterministic."""
    return await _one(request, operation)


@router.post("/v1/verify", response_model=VerdictResult, responses=_REFUSALS)
async def verify(
    request: Request,
    # The discriminator is said again: FastAPI before 0.137 forgets the type's own beside a Body.
    operation: Annotated[AnyVerify, Body(discriminator="mode", openapi_examples=_VERIFY_EXAMPLES)],
) -> Response:
    """Judge an answer: a predicted output, a proposed input, or a program."""
    return await _one(request, operation)


@router.get("/v1/policy", response_model=PolicyResult)
async def policy() -> Response:
    """Show the default policy of validate."""
    return answer(describe(DEFAULT_POLICY))
