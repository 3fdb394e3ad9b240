"""A snapshot that went through JSON shows what the registry itself would."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.openmetrics.parser import (
    text_string_to_metric_families as openmetrics_families,
)
from prometheus_client.parser import text_string_to_metric_families

from executor_service.telemetry.exposition import encode
from executor_service.telemetry.metrics import Metrics
from executor_service.telemetry.snapshots import WorkerSamples, merge, restore, snapshot
from telemetry.scrape import Scrape, read

LABELS = st.text(max_size=5)
NUMBERS = st.floats(allow_nan=False)
GAUGES = st.dictionaries(LABELS, NUMBERS, max_size=4)
COUNTS = st.dictionaries(LABELS, st.integers(1, 2**60), max_size=4)
TIMES = st.lists(st.floats(0, 100), max_size=6)


def registry(gauges, counts, times):
    made = CollectorRegistry()
    gauge = Gauge("room_celsius", 'How "warm"\nit is \\ here', ["room"], registry=made)
    for label, value in gauges.items():
        gauge.labels(label).set(value)
    counter = Counter("visits", "Visits.", ["who"], registry=made)
    for label, count in counts.items():
        counter.labels(label).inc(count)
    histogram = Histogram("stay_seconds", "Stays.", ["op"], registry=made)
    for number, value in enumerate(times):
        histogram.labels("ab"[number % 2]).observe(value)
    Gauge("uptime_seconds", "No label.", registry=made).set(5)
    return made


def through_json(data):
    return json.loads(json.dumps(data, allow_nan=False))


class Families:
    """Families that are there already."""

    def __init__(self, families):
        self.families = families

    def collect(self):
        return self.families


@settings(max_examples=40)
@given(GAUGES, COUNTS, TIMES)
def test_a_snapshot_is_the_registry(gauges, counts, times):
    made = registry(gauges, counts, times)
    again = Families(list(restore(through_json(snapshot(made)))))
    assert generate_latest(again) == generate_latest(made)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf"), 1e308, 5e-324])
def test_no_number_is_lost(value):
    made = registry({"x": value}, {}, [])
    again = Families(list(restore(through_json(snapshot(made)))))
    assert generate_latest(again) == generate_latest(made)


@settings(max_examples=40)
@given(
    st.dictionaries(
        st.text("abc-0123.", min_size=1, max_size=4), st.tuples(GAUGES, COUNTS, TIMES), max_size=3
    )
)
def test_workers_samples_are_theirs_with_a_label_more(workers):
    made = {name: registry(*content) for name, content in workers.items()}
    snapshots = {name: through_json(snapshot(one)) for name, one in made.items()}
    shown = read(WorkerSamples(lambda: snapshots))
    wanted = {
        (name, labels | {("worker", worker)}): value
        for worker, one in made.items()
        for (name, labels), value in read(one).samples.items()
    }
    assert shown.samples == wanted


@pytest.mark.parametrize(
    ("accept", "parse"),
    [
        ("", text_string_to_metric_families),
        ("application/openmetrics-text; version=1.0.0", openmetrics_families),
    ],
)
def test_each_family_is_there_once_with_the_samples_of_all(accept, parse):
    own, worker = Metrics(), Metrics()
    own.requests.request_ended("/v1/verify", "POST", 200, 0.5)
    worker.requests.request_ended("/v1/verify", "POST", 200, 0.25)
    data = through_json(snapshot(worker.registry))
    workers = WorkerSamples(lambda: {"a": data, "b": data})
    body, media_type = encode(merge([*own.registry.collect(), *workers.collect()]), accept)
    assert media_type.startswith(accept.partition(";")[0] or "text/plain")
    text = body.decode()
    types = [line.split()[2] for line in text.splitlines() if line.startswith("# TYPE")]
    assert len(types) == len(set(types))
    families = {family.name: family for family in parse(text)}
    sums = {
        sample.labels.get("worker"): sample.value
        for sample in families["azr_executor_http_request_seconds"].samples
        if sample.name.endswith("_sum")
    }
    assert sums == {None: 0.5, "a": 0.25, "b": 0.25}
    assert families["azr_executor_http_request_seconds"].type == "histogram"
    counted = [sample.value for sample in families["azr_executor_http_requests"].samples]
    assert counted == [1, 1, 1]


@pytest.mark.parametrize("broken", [{}, [["x"]], [["x", "odd type", "", "", []]], None, ["ab", 1]])
def test_a_worker_whose_snapshot_cannot_be_read_hides_no_other(broken):
    good = through_json(snapshot(registry({}, {"x": 3}, [])))
    shown = read(WorkerSamples(lambda: {"bad": broken, "good": good}))
    assert shown.samples["visits_total", frozenset({("who", "x"), ("worker", "good")})] == 3
    assert not any(("worker", "bad") in labels for _, labels in shown.samples)


def test_a_worker_of_another_version_cannot_change_what_a_name_means():
    older = CollectorRegistry()
    Gauge("visits", "A gauge where there is a counter now.", registry=older).set(7)
    newer = registry({}, {"x": 3}, [])
    both = {"new": snapshot(newer), "older": snapshot(older)}
    text = encode(WorkerSamples(lambda: both).collect(), "")[0].decode()
    assert "# TYPE visits_total counter" in text
    assert Scrape(text).samples["visits_total", frozenset({("who", "x"), ("worker", "new")})] == 3
    assert ("visits", frozenset({("worker", "older")})) not in Scrape(text).samples
