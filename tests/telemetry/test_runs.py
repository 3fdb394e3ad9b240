"""Every run is counted once, by what ended it."""

from typing import get_args

import pytest
from prometheus_client import CollectorRegistry

from executor_service.routes.results import RunStatus
from executor_service.sandbox.runner import frames
from executor_service.sandbox.runs import Report, Usage, interpret
from executor_service.telemetry.runs import ENDINGS, RunMetrics, ending_of
from telemetry.scrape import read


@pytest.mark.parametrize(
    ("ending", "code", "wanted"),
    [
        (frames.CPU_TIME, 0, "cpu_time"),
        (frames.WALL_TIME, 0, "wall_time"),
        (frames.RESULT_SIZE, 0, "output"),
        (frames.STREAM_SIZE, 0, "output"),
        (frames.CANCELLED, 0, "cancelled"),
        (frames.EXITED, 0, "runtime_error"),
        (frames.SIGNALED, 9, "memory"),
        (frames.SIGNALED, 31, "security_violation"),
        (frames.SIGNALED, 24, "cpu_time"),
        (frames.SIGNALED, 11, "crash"),
    ],
)
def test_a_report_is_counted_by_what_ended_the_run(ending, code, wanted):
    registry = CollectorRegistry()
    report = Report(1, ending, code, Usage(40.0, 3000.0, 9000), b"", b"", b"")
    RunMetrics(registry).run_ended(report, interpret(report, 1))
    seen = read(registry)
    assert seen.values("run_endings_total") == {wanted: 1}
    assert seen("run_cpu_seconds_sum") == pytest.approx(0.04)
    assert seen("run_wall_seconds_sum") == pytest.approx(3)
    assert seen("run_wall_seconds_bucket", le="2.5") == 0
    assert seen("run_wall_seconds_bucket", le="5.0") == 1


def test_every_run_status_has_an_ending_and_every_ending_is_shown_from_the_start():
    statuses = set(get_args(RunStatus)) - {"infra_error"}  # nothing was run
    assert {ending_of(frames.EXITED, status) for status in statuses} <= set(ENDINGS)
    registry = CollectorRegistry()
    RunMetrics(registry)
    assert read(registry).labels("run_endings_total", "ending") == set(ENDINGS)
