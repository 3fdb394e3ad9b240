"""Ten times more than can be done: what is taken in is done in time, and nothing is idle for it.

The clock, the arrivals and the executors are scripted; what is tested is the backlog.
"""

import random

import pytest

from dispatch.simulation import BATCH, Executor, Simulation, arrivals, submission

OVERLOAD = 10
PATIENT = submission(BATCH, patience=1)
BACKGROUND = submission(BATCH)
EXECUTORS = {
    "two sandboxes": (2, 0.0036, 0, 0.0),
    "sixteen sandboxes": (16, 0.016, 0, 0.0),
    "a queue with two": (2, 0.0036, 128, 0.05),
    "a queue with sixteen": (16, 0.016, 256, 0.02),
}


@pytest.fixture(params=EXECUTORS)
def kind(request):
    return EXECUTORS[request.param]


def capacity(kind):
    """Return the operations a second that it can do."""
    slots, seconds, _, _ = kind
    return slots / seconds


def simulated(kind, requests, slower_from=None):
    slots, seconds, window, burst = kind

    def service(now: float, source: random.Random) -> float:
        slow = slower_from is not None and now >= slower_from
        return source.expovariate(1 / seconds) * (2 if slow else 1)

    simulation = Simulation(Executor(slots, service, window, burst))
    simulation.run(requests)
    return simulation


def test_what_is_taken_in_is_done_in_time_from_a_cold_start_on(kind):
    rate = capacity(kind)
    simulation = simulated(kind, arrivals(OVERLOAD * rate, 0, 4, [PATIENT]))
    tally = simulation.tallies["a", 1]
    assert tally.share_in_time > 0.95
    assert tally.in_time > 0.9 * rate * 4
    assert simulation.begun_late == 0


def test_so_is_it_when_the_overload_comes_all_of_a_sudden(kind):
    rate = capacity(kind)
    quiet = arrivals(0.3 * rate, 0, 3, [BACKGROUND])
    simulation = simulated(kind, quiet + arrivals(OVERLOAD * rate, 3, 6, [PATIENT]))
    assert simulation.tallies["a", 1].share_in_time > 0.95
    assert simulation.tallies["a", 1].in_time > 0.9 * rate * 3


def test_an_overload_that_halves_the_pace_costs_only_what_was_promised_before_it(kind):
    rate = capacity(kind)
    full = arrivals(rate, 0, 3, [BACKGROUND])
    overload = arrivals(OVERLOAD * rate, 3, 8, [PATIENT])
    tally = simulated(kind, full + overload, slower_from=3).tallies["a", 1]
    assert tally.admitted - tally.in_time < 0.3 * rate
    assert tally.in_time > 0.7 * rate / 2 * 5


def test_requests_with_little_patience_do_not_make_those_with_more_late(kind):
    patiences = (0.5, 1, 4)
    mixed = [submission(BATCH, patience=patience) for patience in patiences]
    tallies = simulated(kind, arrivals(OVERLOAD * capacity(kind), 0, 6, mixed)).tallies
    for patience in patiences:
        assert tallies["a", patience].share_in_time > 0.95


def test_requests_without_a_deadline_get_their_quarter_and_break_no_promise(kind):
    rate = capacity(kind)
    job = [(0.0, submission(int(rate)))]  # a second of work
    simulation = simulated(kind, job + arrivals(OVERLOAD * rate, 0.5, 6, [PATIENT]))
    assert simulation.tallies["a", None].in_time == int(rate)
    assert simulation.tallies["a", 1].share_in_time > 0.95


def test_a_key_that_asks_later_gets_its_half_in_time(kind):
    rate = capacity(kind)
    first = arrivals(OVERLOAD * rate, 0, 8, [PATIENT])
    second = arrivals(OVERLOAD * rate, 2, 8, [submission(BATCH, "b", patience=1)])
    tallies = simulated(kind, first + second).tallies
    assert tallies["b", 1].share_in_time > 0.95
    assert tallies["b", 1].in_time > 0.4 * rate * 6
    late = tallies["a", 1].admitted - tallies["a", 1].in_time
    assert late < 0.5 * rate  # once, of what was promised before the other came
