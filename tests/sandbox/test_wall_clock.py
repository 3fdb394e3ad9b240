"""The wall budget under load: a wait that the kernel has not credited yet is not time used."""

import pytest

from executor_service.sandbox.runner import frames, supervisor
from executor_service.sandbox.runner.supervisor import Run


class Child(Run):
    """A run whose process is made up: its figures are set by the test."""

    figures: tuple[int, int, int] | None = (0, 0, 0)
    letter = "R"
    now = 0.0

    def schedule(self):
        return self.figures

    def state(self):
        return self.letter

    def cpu_used(self):
        return 0.0

    def kill(self, ending):
        self.ending = ending


@pytest.fixture
def child(monkeypatch):
    made = Child(1, 5.0, 1.0, 100, 100, None)
    monkeypatch.setattr(supervisor.time, "monotonic", lambda: made.now)
    return made


def test_a_sleeper_over_its_budget_is_killed_at_the_first_look(child):
    child.now, child.letter = 1.01, "S"
    child.check_clocks()
    assert child.ending == frames.WALL_TIME


def test_a_child_that_waits_for_a_processor_is_not_killed_however_long_it_waits(child):
    for child.now in (1.01, 1.5, 5.0, 60.0):
        assert child.check_clocks() < 0.1
        assert child.ending is None


def test_once_it_had_a_processor_its_wait_is_credited_and_it_goes_on(child):
    child.now = 1.01
    child.check_clocks()
    child.now, child.figures = 3.0, (1_000_000, 2_900_000_000, 2)
    child.check_clocks()
    assert child.ending is None


def test_a_child_that_runs_on_past_its_budget_is_killed(child):
    child.now, child.figures = 1.02, (1_020_000_000, 0, 1)
    child.check_clocks()
    assert child.ending is None
    child.now, child.figures = 1.03, (1_030_000_000, 0, 1)
    child.check_clocks()
    assert child.ending == frames.WALL_TIME


def test_the_time_since_the_last_look_may_be_a_wait_and_does_not_count(child):
    child.now, child.figures = 1.001, (900_000_000, 0, 1)
    child.check_clocks()
    # 0.3 s later it has run for 1 ms and may have waited ever since.
    child.now, child.figures = 1.301, (901_000_000, 2_000_000, 2)
    child.check_clocks()
    assert child.ending is None


def test_without_scheduling_figures_the_wall_alone_decides(child):
    child.now, child.figures = 1.01, None
    child.check_clocks()
    assert child.ending == frames.WALL_TIME


def test_a_child_that_is_dead_already_did_not_run_out_of_time(child):
    child.now, child.letter = 7.0, "Z"
    assert child.check_clocks() < 0.1
    assert child.ending is None
