"""More work than fits: refused at once, with the time to come back; and clients that leave."""

import concurrent.futures
import time

import httpx
import pytest

VERIFY = {"mode": "deduction", "program": "def f(x):\n    return x", "input": "1", "answer": "1"}
SLEEP = {
    "op": "execute", "program": "import time\ndef f(x):\n    time.sleep(0.015)\n    return x",
}  # fmt: skip


def sleepers(count):
    # Different inputs: the same question is asked of a sandbox only once.
    return {"items": [{**SLEEP, "inputs": [str(number)]} for number in range(count)]}


@pytest.fixture
def busy(http):
    """A server that has some seconds of work waiting."""
    with concurrent.futures.ThreadPoolExecutor(1) as threads:
        batch = threads.submit(http.post, "/v1/batch", json=sleepers(400))
        time.sleep(0.3)
        yield batch
        assert batch.result().status_code == 200


def test_what_would_not_be_done_in_the_clients_time_is_refused_with_the_time_to_come_back(
    http, busy
):
    late = http.post("/v1/batch", json=sleepers(200), headers={"x-request-timeout": "0.5"})
    assert late.status_code == 429
    assert int(late.headers["retry-after"]) >= 1
    assert "a client that waits 0.5 s" in late.json()["detail"]
    patient = http.post("/v1/verify", json=VERIFY, headers={"x-request-timeout": "60"})
    assert patient.json()["status"] == "correct"


def test_a_full_queue_refuses_the_whole_request(http, busy):
    # The server of these tests holds 1024 operations.
    refusal = http.post("/v1/batch", json=sleepers(1000))
    assert refusal.status_code == 429
    assert refusal.headers["content-type"] == "application/problem+json"
    assert int(refusal.headers["retry-after"]) >= 1


@pytest.mark.parametrize("text", ["soon", "-1", "0", "nan", "inf", ""])
def test_a_timeout_that_is_no_number_of_seconds_is_named(http, text):
    answer = http.post("/v1/verify", json=VERIFY, headers={"x-request-timeout": text})
    assert answer.status_code == 422
    assert answer.json()["field"] == "X-Request-Timeout"


@pytest.mark.parametrize("accept", ["application/json", "application/x-ndjson"])
def test_the_work_of_a_client_that_leaves_is_ended(http, accept):
    endless = {**SLEEP, "program": "import time\ndef f(x):\n    time.sleep(9)\n    return x"}
    items = [{**endless, "inputs": [str(number)]} for number in range(64)]
    with pytest.raises(httpx.ReadTimeout):
        http.post("/v1/batch", json={"items": items}, headers={"accept": accept}, timeout=0.7)
    began = time.monotonic()
    assert http.post("/v1/verify", json=VERIFY).json()["status"] == "correct"
    assert time.monotonic() - began < 5
