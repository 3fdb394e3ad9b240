"""``GET /metrics``: what Prometheus scrapes."""

from fastapi import APIRouter, Request
from fastapi.responses import PlainTextResponse, Response

from executor_service.service import Service

router = APIRouter(tags=["operations of the service"])


@router.get("/metrics", response_class=PlainTextResponse)
async def metrics(request: Request) -> Response:
    """Show metrics as Prometheus text, or as OpenMetrics to who accepts it."""
    service: Service = request.app.state.service
    body, media_type = await service.metrics.text(request.headers.get("accept", ""))
    return Response(body, headers={"content-type": media_type})
