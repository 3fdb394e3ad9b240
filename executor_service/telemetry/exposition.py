"""Metrics as text: what a scrape is answered."""

from collections.abc import Iterable

from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import Metric


class _Collected:
    """Families that have been collected already."""

    def __init__(self, families: Iterable[Metric]) -> None:
        self._families = families

    def collect(self) -> Iterable[Metric]:
        """Return them."""
        return self._families


def encode(families: Iterable[Metric], accept: str) -> tuple[bytes, str]:
    """Return the text and its media type: OpenMetrics for who accepts it, else Prometheus' own.

    Args:
        families: What is to be shown, each family once.
        accept: The ``Accept`` header; may be empty.
    """
    encoder, media_type = choose_encoder(accept)
    return encoder(_Collected(families)), media_type
