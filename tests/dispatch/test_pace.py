"""The pace: learned from results while there is work, slow to hope and quick to fear."""

import pytest

from executor_service.dispatch.pace import FIRST_GUESS_S, Pace


class Work:
    """A pace and its time."""

    def __init__(self):
        self.now = 0.0
        self.pace = Pace(self.now)

    def does(self, results, seconds, burst=1):
        """Let results come, ``burst`` at a time, every ``seconds`` each."""
        self.pace.busy(self.now)
        for number in range(1, results + 1):
            self.now += seconds
            if number % burst == 0:
                for _ in range(burst):
                    self.pace.result(self.now)

    @property
    def seconds(self):
        return self.pace.seconds(self.now)


@pytest.fixture
def work():
    return Work()


def test_it_begins_with_a_careful_guess_and_learns_the_truth(work):
    work.pace.busy(0.0)
    assert work.seconds == pytest.approx(FIRST_GUESS_S)
    work.does(100, 0.002)
    assert 0.002 < work.seconds < FIRST_GUESS_S / 2
    work.does(3_000, 0.002)
    assert work.seconds == pytest.approx(0.002, rel=0.05)


def test_results_that_come_together_are_not_taken_for_speed(work):
    work.does(4_000, 0.002, burst=50)
    assert work.seconds > 0.0018
    for _ in range(40):  # nor when there is nothing to do after each burst
        work.pace.busy(work.now)
        work.does(50, 0.002, burst=50)
        work.pace.idle(work.now)
    work.pace.busy(work.now)
    assert work.seconds > 0.0018


def test_becoming_slow_is_believed_sooner_than_becoming_quick(work):
    work.does(3_000, 0.002)
    work.does(100, 0.01)
    assert work.seconds > 0.007
    work.does(1_000, 0.01)
    work.does(150, 0.002)
    assert work.seconds > 0.005
    work.does(3_000, 0.002)
    assert work.seconds < 0.003


def test_a_stall_shows_before_any_result_does(work):
    work.does(3_000, 0.002)
    before = work.seconds
    work.now += 0.5
    assert work.seconds > 1.5 * before


def test_time_without_work_is_not_counted(work):
    work.does(3_000, 0.002)
    before = work.seconds
    work.pace.idle(work.now)
    work.now += 100
    work.pace.busy(work.now)
    assert work.seconds == pytest.approx(before)


def test_an_idle_service_forgets_that_it_was_slow_but_not_how_quick_it_can_be(work):
    work.does(3_000, 0.002)
    work.does(100, 1.0)
    work.pace.idle(work.now)
    assert work.seconds > 0.3
    work.now += 3
    assert work.seconds < 0.2
    work.now += 100
    assert work.seconds == pytest.approx(0.002, rel=0.05)
    work.now += 1e9
    assert work.seconds == pytest.approx(0.002, rel=0.05)
