"""Counters and histograms of the hot path show what the library's own would."""

from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry
from prometheus_client import Counter as LibraryCounter
from prometheus_client import Histogram as LibraryHistogram

from executor_service.telemetry.instruments import SECONDS, Histogram, Tally
from telemetry.scrape import read

SECONDS_SEEN = st.lists(st.sampled_from(SECONDS) | st.floats(0, 500))


def without_creation_times(scrape):
    return {key: value for key, value in scrape.samples.items() if not key[0].endswith("_created")}


@settings(max_examples=40)
@given(SECONDS_SEEN)
def test_a_histogram_is_the_librarys(values):
    registry = CollectorRegistry()
    theirs = LibraryHistogram("azr_executor_x_seconds", "x", registry=registry, buckets=SECONDS)
    ours = Histogram("x_seconds", "x")
    for value in values:
        theirs.observe(value)
        ours.of().observe(value)
    assert read(ours).samples == without_creation_times(read(registry))


@settings(max_examples=40)
@given(st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from(SECONDS))))
def test_a_histogram_with_a_label_is_the_librarys(values):
    registry = CollectorRegistry()
    theirs = LibraryHistogram(
        "azr_executor_x_seconds", "x", ["op"], registry=registry, buckets=SECONDS
    )
    ours = Histogram("x_seconds", "x", "op", ["a"])
    theirs.labels("a")
    for label, value in values:
        theirs.labels(label).observe(value)
        ours.of(label).observe(value)
    assert read(ours).samples == without_creation_times(read(registry))


@settings(max_examples=40)
@given(st.lists(st.tuples(st.text(), st.sampled_from(["", "deduction"]))))
def test_a_tally_is_the_librarys_counter(labels):
    registry = CollectorRegistry()
    theirs = LibraryCounter("azr_executor_x", "x", ["op", "mode"], registry=registry)
    ours = Tally("x", "x", ("op", "mode"))
    for pair in labels:
        theirs.labels(*pair).inc()
        ours.add(pair)
    assert read(ours).samples == without_creation_times(read(registry))


def test_known_labels_are_there_before_anything_happened():
    tally = Tally("x", "x", ("reason",), [("rare",)])
    assert ("azr_executor_x_total", frozenset({("reason", "rare")})) in read(tally).samples
    assert read(tally)("x_total", reason="rare") == 0
    tally.add(("rare",), 2)
    assert read(tally)("x_total", reason="rare") == 2
