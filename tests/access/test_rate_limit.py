"""Token buckets: what was promised is given, and no more than was promised."""

from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from executor_service.access.keys import StoredKey
from executor_service.access.rate_limit import Bucket, RateLimiter, charge
from executor_service.errors import QueueFull, RateLimited

RATES = st.floats(0.01, 1000)
BURSTS = st.integers(1, 2000)
STEPS = st.lists(st.tuples(st.floats(0, 100), st.integers(1, 3000)), max_size=40)


@given(rate=RATES, burst=BURSTS, steps=STEPS)
def test_no_more_is_given_than_burst_and_rate_allow(rate, burst, steps):
    now, given_out = 1e6, 0
    bucket = Bucket(rate, burst, now)
    for gap, cost in steps:
        now += gap
        if bucket.take(cost, now) == 0:
            given_out += cost
            # What is above the burst is a debt: it is paid before anything else is given.
            most = burst + rate * (now - 1e6) + max(0, cost - burst)
            assert given_out <= most + 1e-3


@given(rate=RATES, burst=BURSTS, steps=STEPS)
def test_whoever_waits_as_long_as_told_is_served(rate, burst, steps):
    now = 1e6
    bucket = Bucket(rate, burst, now)
    for gap, cost in steps:
        now += gap
        wait = bucket.take(cost, now)
        if wait > 0:
            now += wait
            assert bucket.take(cost, now) == 0


def test_a_request_above_the_burst_is_served_from_a_full_bucket_and_paid_for_later():
    bucket = Bucket(10, 5, 0)
    assert bucket.take(25, 0) == 0
    assert bucket.take(1, 0) == pytest.approx(2.1)
    assert bucket.take(1, 2.2) == 0
    assert bucket.take(25, 2.2) > 0


def test_what_is_refused_costs_nothing():
    bucket = Bucket(1, 10, 0)
    assert bucket.take(8, 0) == 0
    for _ in range(5):
        assert bucket.take(8, 0) == pytest.approx(6)
    assert bucket.take(2, 0) == 0


def test_a_clock_that_stands_still_gives_nothing():
    bucket = Bucket(1000, 1, 5)
    assert bucket.take(1, 5) == 0
    assert bucket.take(1, 5) > 0
    assert bucket.take(1, 4) > 0


def key(name: str, **fields) -> StoredKey:
    return StoredKey(name=name, sha256="0" * 64, **fields)


class Clock:
    """A clock that a test turns."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock():
    return Clock()


def test_every_key_has_a_bucket_of_its_own(clock):
    limiter = RateLimiter(1, 10, clock)
    limiter.allowance(key("a")).take(10)
    with pytest.raises(RateLimited) as refusal:
        limiter.allowance(key("a")).take(4)
    assert refusal.value.retry_after == pytest.approx(4)
    assert "the key a" in str(refusal.value)
    limiter.allowance(key("b")).take(10)
    limiter.allowance(None).take(10)
    clock.now += 4
    limiter.allowance(key("a")).take(4)


def test_without_a_rate_nothing_is_limited():
    limiter = RateLimiter(0, 1)
    assert limiter.allowance(key("a")) is None
    assert limiter.allowance(None) is None


def test_what_a_key_says_of_itself_goes_first(clock):
    limiter = RateLimiter(0, 10, clock)
    limiter.allowance(key("a", operations_per_second=1, burst=3)).take(3)
    with pytest.raises(RateLimited):
        limiter.allowance(key("a", operations_per_second=1, burst=3)).take(1)
    assert RateLimiter(1, 10, clock).allowance(key("a", operations_per_second=0)) is None


def test_a_changed_rate_counts_from_the_next_request(clock):
    limiter = RateLimiter(0, 10, clock)
    limiter.allowance(key("a", operations_per_second=1)).take(10)
    clock.now += 1
    limiter.allowance(key("a", operations_per_second=10)).take(10)


def test_a_request_that_submits_nothing_counts_as_one(clock):
    allowance = RateLimiter(1, 2, clock).allowance(key("a"))
    allowance.take(0)
    allowance.take(0)
    with pytest.raises(RateLimited):
        allowance.take(0)


def test_routes_charge_the_allowance_of_their_request(clock):
    allowance = RateLimiter(1, 2, clock).allowance(key("a"))
    request = SimpleNamespace(state=SimpleNamespace(allowance=allowance))
    charge(request, 2)
    with pytest.raises(RateLimited):
        charge(request, 1)
    charge(SimpleNamespace(state=SimpleNamespace(allowance=None)), 1000)
    charge(SimpleNamespace(state=SimpleNamespace()), 1000)


def test_every_way_of_answering_a_full_queue_answers_a_rate_limit_too():
    assert issubclass(RateLimited, QueueFull)
