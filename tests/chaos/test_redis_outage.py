"""Redis is restarted, frozen and away while work is under way."""

import signal
import time

import pytest

from chaos.stack import QUICK, running_stack, slows, verdicts

pytestmark = pytest.mark.redis


@pytest.fixture
def stack(tmp_path):
    with running_stack(tmp_path) as made:
        yield made


def statuses(results):
    return [result["status"] for result in results]


def test_a_restart_of_redis_mid_job_loses_nothing(stack):
    answer = stack.later(lambda: stack.batch(slows(80, 0.1)))
    stack.until(stack.busy, "the batch to be under way")
    stack.kill("redis")
    stack.start_redis()
    assert statuses(answer.result()) == verdicts(80)
    stack.ready()


@pytest.mark.parametrize("how", ["dead", "frozen"])
def test_redis_away_for_twenty_seconds_is_said_and_survived(stack, how):
    answer = stack.later(lambda: stack.batch(slows(40, 0.2)))
    stack.until(stack.busy, "the batch to be under way")
    if how == "dead":
        stack.kill("redis")
    else:
        stack.kill("redis", signal.SIGSTOP)
    stack.unready()
    refusal = stack.http.post("/v1/verify", json={k: v for k, v in QUICK.items() if k != "op"})
    assert refusal.status_code == 503
    assert refusal.headers["content-type"] == "application/problem+json"
    assert int(refusal.headers["retry-after"]) >= 1
    time.sleep(20)
    if how == "dead":
        stack.start_redis()
    else:
        stack.kill("redis", signal.SIGCONT)
    stack.ready()
    assert statuses(answer.result()) == verdicts(40)
    assert statuses(stack.batch([QUICK, QUICK | {"answer": "1"}] * 5)) == ["correct", "wrong"] * 5


def test_redis_that_comes_back_empty_costs_time_and_no_verdict(stack):
    answer = stack.later(lambda: stack.batch(slows(40, 0.2)))
    stack.until(stack.busy, "the batch to be under way")
    with stack.redis() as client:
        client.flushall()
    assert statuses(answer.result()) == verdicts(40)


def test_a_worker_without_redis_still_ends_when_it_is_asked_to(stack):
    stack.kill("redis")
    time.sleep(2)
    began = time.monotonic()
    stack.kill("worker", signal.SIGTERM)  # waits for the end
    assert time.monotonic() - began < 20
