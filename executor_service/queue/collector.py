"""What the API's side of the queue counts."""

from collections.abc import Iterator

from prometheus_client.metrics_core import Metric

from executor_service.queue.dispatcher import QueueDispatcher
from executor_service.telemetry.collectors import counter, gauge


class QueueCollector:
    """Chunks on their way, workers alive, and whether Redis is there."""

    def __init__(self, dispatcher: QueueDispatcher) -> None:
        self._dispatcher = dispatcher

    def collect(self) -> Iterator[Metric]:
        """Yield the families."""
        ledger, census = self._dispatcher.ledger, self._dispatcher.census
        yield gauge("chunks_out", "Jobs of the queue that have not all their results.", len(ledger))
        yield gauge("operations_out", "Operations in those jobs.", ledger.operations)
        yield counter("chunks_resent", "Jobs sent again: their worker died.", ledger.resent)
        yield counter(
            "operations_given_up", "Operations answered infra_error by the queue.", ledger.given_up
        )
        yield gauge("workers_alive", "Workers heard of lately.", len(census.workers))
        yield gauge("worker_slots", "Sandboxes of those workers.", census.slots)
        yield gauge("redis_up", "1 while Redis can be reached.", float(self._dispatcher.connected))
