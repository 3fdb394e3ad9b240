"""Counting and timing HTTP requests, by route template: a client cannot add a label."""

from prometheus_client import CollectorRegistry

from executor_service.telemetry.instruments import Histogram, Tally


class RequestMetrics:
    """The instruments of HTTP requests."""

    def __init__(self, registry: CollectorRegistry) -> None:
        """Show them in ``registry``."""
        self._tally = Tally(
            "http_requests",
            "HTTP requests answered; 'unrouted' are unknown paths and refusals before routing.",
            ("route", "method", "status"),
        )
        self._durations = Histogram(
            "http_request_seconds", "Time from a request's head to the end of its answer.", "route"
        )
        registry.register(self._tally)
        registry.register(self._durations)

    def request_ended(self, route: str, method: str, status: int, seconds: float) -> None:
        """Take note of an answered request; all three labels must be of bounded variety."""
        self._tally.add((route, method, str(status)))
        self._durations.of(route).observe(seconds)
