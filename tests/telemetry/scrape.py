"""What a scrape says, read by the library's own parser."""

from typing import Any

import httpx
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

PREFIX = "azr_executor_"


class Scrape:
    """The samples of one scrape."""

    def __init__(self, text: str) -> None:
        self.families = list(text_string_to_metric_families(text))
        self.samples = {
            (sample.name, frozenset(sample.labels.items())): sample.value
            for family in self.families
            for sample in family.samples
        }

    def __call__(self, name: str, **labels: str) -> float:
        """Return the value of one sample; ``name`` needs no prefix; an absent one is 0."""
        full = name if name.startswith(("process_", "python_")) else PREFIX + name
        return self.samples.get((full, frozenset(labels.items())), 0.0)

    def values(self, name: str) -> dict[str, float]:
        """Return the samples above 0 of a family with one label that matters, by their labels."""
        return {
            ",".join(value for _, value in sorted(labels) if value): count
            for (full, labels), count in self.samples.items()
            if full == PREFIX + name and count
        }

    def labels(self, name: str, label: str) -> set[str]:
        """Return the values that a label has."""
        return {
            dict(labels)[label]
            for full, labels in self.samples
            if full == PREFIX + name and label in dict(labels)
        }


def scrape(http: httpx.Client) -> Scrape:
    """Ask a server for its metrics."""
    response = http.get("/metrics")
    assert response.status_code == 200, response.text
    return Scrape(response.text)


def read(collector: Collector | Any) -> Scrape:
    """Return what a collector or registry has."""
    return Scrape(generate_latest(collector).decode())
