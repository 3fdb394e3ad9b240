"""Metrics of one process as plain data, and those of several processes side by side.

A worker has no port to be scraped at. It leaves a snapshot of its registry with its heartbeat, and
the API shows the samples of all live workers next to its own, with the label ``worker``.
"""

import logging
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

log = logging.getLogger(__name__)

Snapshot = list[list[Any]]
"""JSON: ``[name, type, help, unit, [[sample name, labels, value], ...]]`` for each family."""

_LABEL: Final = "worker"


def snapshot(collector: Collector) -> Snapshot:
    """Return what ``collector`` has now, as data that JSON can carry without loss."""
    return [
        [
            family.name,
            family.type,
            family.documentation,
            family.unit,
            [[sample.name, sample.labels, _to_json(sample.value)] for sample in family.samples],
        ]
        for family in collector.collect()
    ]


def restore(data: Snapshot, extra: Mapping[str, str] | None = None) -> Iterator[Metric]:
    """Yield the families of a snapshot, with ``extra`` labels on every sample.

    Raises:
        ValueError, TypeError, AttributeError: It is not a snapshot.
    """
    for name, kind, says, unit, samples in data:
        family = Metric(name, says, kind, unit)
        for sample_name, labels, value in samples:
            family.add_sample(sample_name, {**labels, **(extra or {})}, float(value))
        yield family


def merge(parts: Iterable[Metric]) -> list[Metric]:
    """Return the families with those of the same name made one: one TYPE, one HELP, all samples.

    Where a name comes with two types (workers of another version) the first one counts.
    """
    merged: dict[str, Metric] = {}
    for family in parts:
        first = merged.get(family.name)
        if first is None:
            first = merged[family.name] = Metric(
                family.name, family.documentation, family.type, family.unit
            )
        if first.type == family.type:
            first.samples += family.samples
        else:
            log.debug("%s is a %s and a %s", family.name, first.type, family.type)
    return list(merged.values())


class WorkerSamples:
    """A collector of other processes' snapshots."""

    def __init__(self, snapshots: Callable[[], Mapping[str, Snapshot]]) -> None:
        """``snapshots`` returns the latest one of each live worker, by its name."""
        self._snapshots = snapshots

    def collect(self) -> Iterator[Metric]:
        """Yield each family once, with the samples of all workers."""
        parts: list[Metric] = []
        for name, data in sorted(self._snapshots().items()):
            try:
                parts += list(restore(data, {_LABEL: name}))
            except (ValueError, TypeError, AttributeError) as error:
                log.warning("the metrics of worker %s cannot be read: %r", name, error)
        yield from merge(parts)


def _to_json(value: float) -> float | str:
    return value if math.isfinite(value) else repr(float(value))
