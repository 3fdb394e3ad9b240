"""The arithmetic of the figures: rates, medians of ratios, percentiles, the parts of a verdict."""

import asyncio

import pytest

from executor_service.bench import drive
from executor_service.bench.mix import make_mix
from executor_service.bench.overload import essence
from executor_service.bench.ratios import latency_rows, percentile, ratios, speed_summary
from executor_service.bench.records import sample
from executor_service.bench.report import grouped
from executor_service.bench.speed import Speed
from executor_service.operations import ValidateOperation


def test_a_rate_counts_what_all_clients_did():
    done = 0

    async def work():
        nonlocal done
        await asyncio.sleep(0.01)
        done += 3
        return 3

    found = asyncio.run(drive.rate(work, 8, 0.2))
    # No lost updates: the count is that of the work itself, over at least the time asked for.
    assert found <= done / 0.2
    assert found >= done / 2.0
    assert done >= 8 * 3


def test_no_more_is_under_way_than_the_width_and_items_are_read_late():
    under_way = most = read = 0

    def items():
        nonlocal read
        for index in range(20):
            read += 1
            yield index

    async def work(index):
        nonlocal under_way, most
        assert read <= index + 3
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(0)
        under_way -= 1

    asyncio.run(drive.for_each(items(), work, 3))
    assert (read, most) == (20, 3)


def test_a_ratio_is_the_median_of_the_ratios_of_each_round():
    # A machine that is ten times slower in the third round leaves the ratios alone.
    speed = Speed(rates={"runs, one slot": [50.0, 60.0, 5.0], "bare fork": [100.0, 100.0, 10.0]})
    (ratio,) = ratios(speed)
    assert ratio.value == 0.5
    assert ratio.met is True
    speed.rates["bare fork"] = [101.0, 130.0, 10.5]
    assert ratios(speed)[0].met is False


def test_what_was_measured_less_often_is_compared_by_medians():
    speed = Speed(rates={"HTTP verifications": [100.0, 200.0, 300.0], "docker run": [2.0]})
    (ratio,) = ratios(speed)
    assert ratio.value == 100.0
    assert ratio.met is None


@pytest.mark.parametrize(
    ("share", "value"), [(0.5, 50.0), (0.99, 99.0), (1.0, 100.0), (0.001, 1.0)]
)
def test_a_percentile_is_one_of_the_samples(share, value):
    assert percentile([float(n) for n in range(100, 0, -1)], share) == value


def test_a_percentile_of_nothing_is_an_error():
    with pytest.raises(ValueError, match="no samples"):
        percentile([], 0.5)


def test_the_summary_has_every_rate_and_latency():
    speed = Speed(rates={"fresh python -I": [50.0]}, latency_ms=[1.0, 2.0, 30.0])
    assert dict(latency_rows(speed)) == {
        "POST /v1/verify, p50": 2.0,
        "POST /v1/verify, p99": 30.0,
        "fresh python -I, mean": 20.0,
    }
    assert speed_summary(speed)["medians_per_second"] == {"fresh python -I": 50.0}


def test_the_mix_is_the_same_each_time_and_wants_every_kind_of_status():
    tasks = sample(None)
    first, second = make_mix(tasks, 1500), make_mix(tasks, 1500)
    assert [one.name for one in first] == [one.name for one in second]
    assert len(first) == 1500
    assert {one.expected for one in first} - {None} == {
        "correct", "timeout", "memory_limit", "output_limit", "process_limit",
        "security_violation", "runtime_error", "unsupported_value", "invalid_program",
        "invalid_input", "invalid_answer", "nondeterministic",
    }  # fmt: skip
    kinds = {getattr(one.operation, "mode", "validate") for one in first}
    assert kinds == {"validate", "deduction", "abduction", "induction"}
    assert any(isinstance(one.operation, ValidateOperation) for one in first)


def _verdict(**changes):
    base = {"status": "correct", "correct": True, "score": 1.0, "got": "1", "cases": None}
    return base | {"message": "", "usage": {"cpu_ms": 1.0}} | changes


def test_usage_and_messages_are_no_part_of_a_verdict():
    other = _verdict(usage={"cpu_ms": 9.0}, message="later")
    assert essence(_verdict()) == essence(other)


@pytest.mark.parametrize(
    "change",
    [
        {"status": "timeout"},
        {"score": 0.5},
        {"got": "2"},
        {"cases": [{"status": "wrong", "correct": False}]},
    ],
)
def test_a_changed_status_score_value_or_case_is_another_verdict(change):
    assert essence(_verdict()) != essence(_verdict(**change))


def test_cases_with_the_same_reason_share_a_line():
    lines = [
        ("file:3:0", "the record was cut: first and last 200 of 820 characters"),
        ("file:3:4", "the record was cut: first and last 200 of 500 characters"),
        ("file:3:5", "nothing"),
        ("file:4", "nothing"),
    ]
    assert grouped(lines) == [
        ("file:3, case 0, 4", "the record was cut: first and last 200 of 500 to 820 characters"),
        ("file:3, case 5", "nothing"),
        ("file:4", "nothing"),
    ]
