"""The service of an API process whose sandboxes are workers behind a queue."""

import contextlib
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

from executor_service import __version__
from executor_service.jobs.redis_store import RedisJobStore
from executor_service.jobs.runner import JobRunner
from executor_service.queue.collector import QueueCollector
from executor_service.queue.dispatcher import QueueDispatcher
from executor_service.service import JOBS_SHARE, Service, describe_limits, running_service
from executor_service.settings import Settings
from executor_service.telemetry.metrics import Metrics


@dataclass
class QueuedService:
    """A running service without sandboxes of its own."""

    settings: Settings
    dispatcher: QueueDispatcher
    jobs: JobRunner
    metrics: Metrics
    started: float = field(default_factory=time.time)

    async def ready(self) -> str | None:
        """Return None when the queue can be reached and a worker has a sandbox, else why not."""
        return self.dispatcher.trouble()

    def info(self) -> dict[str, Any]:
        """Return what GET /v1/info shows: what all live workers have in common, and their sum."""
        workers = self.dispatcher.census.workers
        shown = next(iter(workers.values()), {})
        return {
            "version": __version__,
            "runner": shown.get("runner"),
            "python": shown.get("python"),
            "backend": shown.get("backend", "none"),
            "slots": self.dispatcher.census.slots,
            "limits": shown.get("limits") or describe_limits(self.settings),
            "protections": shown.get("protections", []),
            "queue_size": self.settings.queue_size,
            "max_body_bytes": self.settings.max_body_bytes,
            "uptime_seconds": round(time.time() - self.started, 1),
            "workers": {
                name: {key: worker.get(key) for key in ("slots", "warm", "busy", "chunks")}
                for name, worker in sorted(workers.items())
            },
        }


def open_service(settings: Settings) -> contextlib.AbstractAsyncContextManager[Service]:
    """Return the service that ``settings`` ask for: with sandboxes here, or behind a queue."""
    return running_service(settings) if settings.redis_url is None else queued_service(settings)


@contextlib.asynccontextmanager
async def queued_service(settings: Settings) -> AsyncIterator[QueuedService]:
    """Start the API's side; Redis and the workers may come later, and go.

    Raises:
        ConfigurationError: The address of Redis is not one.
    """
    dispatcher, metrics = QueueDispatcher(settings), Metrics()
    metrics.watch_backlog(dispatcher.backlog)
    metrics.add(QueueCollector(dispatcher))
    metrics.show_workers(dispatcher.census.snapshots)
    store = RedisJobStore(
        dispatcher.client,
        settings.queue_name,
        result_ttl=settings.result_ttl,
        result_bytes=settings.job_result_bytes,
    )
    jobs = JobRunner(store, dispatcher, room=settings.queue_size // JOBS_SHARE)
    await dispatcher.start()
    await jobs.start()
    try:
        yield QueuedService(settings, dispatcher, jobs, metrics)
    finally:
        await jobs.close()
        await dispatcher.close()
        await metrics.close()
