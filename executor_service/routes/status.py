"""``GET /healthz``, ``/readyz`` and ``/v1/info``."""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from executor_service import problems
from executor_service.routes.answers import answer
from executor_service.routes.results import Alive, Info, Ready, problem_responses
from executor_service.service import Service

router = APIRouter(tags=["operations of the service"])


@router.get("/healthz", response_model=Alive)
async def healthz() -> dict[str, str]:
    """Say that the process is alive."""
    return {"status": "alive"}


@router.get("/readyz", response_model=Ready, responses=problem_responses(503))
async def readyz(request: Request) -> Response:
    """Say whether a sandbox answers; 503 until one does."""
    service: Service = request.app.state.service
    trouble = await service.ready()
    if trouble is not None:
        return problems.response(problems.problem(503, trouble), {"Retry-After": "1"})
    return answer({"status": "ready"})


@router.get("/v1/info", response_model=Info)
async def info(request: Request) -> Response:
    """Show version, backend, limits and active protections."""
    service: Service = request.app.state.service
    return answer(service.info())
