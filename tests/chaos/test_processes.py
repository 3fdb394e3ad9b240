"""Every process of the stack is killed once while it works; every answer is real or infra_error."""

import os
import signal
import time

import httpx
import pytest

from chaos.stack import QUICK, running_stack, slow, slows, verdicts

pytestmark = pytest.mark.redis


@pytest.fixture
def stack(tmp_path):
    with running_stack(tmp_path) as made:
        yield made


def statuses(results):
    return [result["status"] for result in results]


def test_a_batch_goes_through_the_queue_with_the_right_verdicts_in_order(stack):
    wrong = QUICK | {"answer": "41"}
    bad = {"op": "verify", "mode": "unknown"}
    refused = QUICK | {"limits": {"cpu_seconds": 1e6}}
    results = stack.batch([QUICK, wrong, bad, refused] * 50)
    assert len(results) == 200
    for index, result in enumerate(results):
        if index % 4 < 2:
            assert result["status"] == ("correct", "wrong")[index % 4]
        else:
            assert result["error"]["status"] == 422
    assert "cpu_seconds" in results[3]["error"]["detail"]
    info = stack.http.get("/v1/info").json()
    assert info["slots"] == 2
    assert info["backend"] == "bubblewrap"


def test_results_stream_as_they_finish(stack):
    request = {"items": [slow(1.5), QUICK]}
    seen = []
    with stack.http.stream(
        "POST", "/v1/batch", json=request, headers={"accept": "application/x-ndjson"}
    ) as response:
        for line in response.iter_lines():
            seen.append((line, time.monotonic()))
    (first, early), (last, late) = seen
    assert '"index":1' in first.replace(" ", "")
    assert '"index":0' in last.replace(" ", "")
    assert late - early > 0.5


def test_a_worker_killed_mid_job_costs_time_and_no_verdict(stack):
    answer = stack.later(lambda: stack.batch(slows(40, 0.2)))
    stack.until(stack.busy, "the batch to be under way")
    stack.kill("worker")
    stack.start_worker("second")
    assert statuses(answer.result()) == verdicts(40)


def test_the_only_worker_gone_is_said_and_what_is_accepted_meanwhile_is_carried_out_later(stack):
    stack.kill("worker")
    stack.unready()
    answer = stack.later(lambda: stack.batch([QUICK] * 10))
    time.sleep(1)
    assert not answer.done()
    stack.start_worker("second")
    assert statuses(answer.result()) == ["correct"] * 10
    stack.ready()


def test_a_worker_asked_to_end_finishes_what_it_has_in_hand(stack):
    answer = stack.later(lambda: stack.batch(slows(8, 0.4)))
    stack.until(stack.busy, "the batch to be under way")
    log = stack.folder / "api.log"
    stack.kill("worker", signal.SIGTERM)
    stack.start_worker("second")
    assert statuses(answer.result()) == verdicts(8)
    assert "is lost" not in log.read_text()


def test_a_frozen_worker_is_replaced_and_its_late_answers_change_nothing(stack):
    stack.start_worker("second")
    stack.until(lambda: len(stack.workers()) == 2, "the second worker")
    answer = stack.later(lambda: stack.batch(slows(40, 0.2)))
    stack.until(stack.busy, "the batch to be under way")
    stack.kill("worker", signal.SIGSTOP)
    results = answer.result()
    stack.kill("worker", signal.SIGCONT)
    assert statuses(results) == verdicts(40)
    assert statuses(stack.batch([QUICK, QUICK | {"answer": "0"}] * 20)) == ["correct", "wrong"] * 20


def test_a_job_that_kills_every_worker_ends_as_infra_error_and_spares_its_neighbours(stack):
    # What it does to a worker is done from outside: each one that has it in hand is killed.
    answer = stack.later(lambda: stack.batch([slow(30), *[QUICK] * 20]))
    for number in range(3):
        stack.until(stack.busy, "a worker to have it")
        time.sleep(1)  # its neighbours are answered, or not begun
        stack.kill("worker" if number == 0 else f"worker{number}")
        stack.until(lambda: not stack.workers(), "the dead worker to be forgotten")
        stack.start_worker(f"worker{number + 1}")
    poison, *neighbours = answer.result()
    assert poison["status"] == "infra_error"
    assert (poison["score"], poison["correct"], poison["retryable"]) == (None, None, True)
    assert statuses(neighbours) == ["correct"] * 20


def test_a_killed_api_leaves_no_work_behind_and_the_next_one_serves(stack):
    def ask():
        with pytest.raises(httpx.TransportError):
            stack.batch(slows(200, 0.6))

    gone = stack.later(ask)
    stack.until(stack.busy, "the batch to be under way")
    stack.kill("api")
    gone.result()
    stack.start_api("api2")
    stack.ready()
    began = time.monotonic()
    assert statuses(stack.batch([QUICK] * 5)) == ["correct"] * 5
    # Only what the worker had in hand is still run. All that was in the queue would take 38 s, and
    # the whole batch a minute.
    assert time.monotonic() - began < 25


def test_the_running_chunks_of_a_killed_api_are_ended(stack):
    def ask():
        with pytest.raises(httpx.TransportError):
            stack.batch(slows(64, 9))  # nearly five minutes on two sandboxes

    gone = stack.later(ask)
    stack.until(lambda: any(worker["busy"] == 2 for worker in stack.workers().values()), "the runs")
    stack.kill("api")
    began = time.monotonic()
    gone.result()

    def idle():
        (worker,) = stack.workers().values()
        return not worker["in_hand"] and worker["busy"] == 0

    stack.until(idle, "the worker to be idle")
    # Its key in Redis lasts 15 s, and has then to be missing for 5 s.
    assert 5 < time.monotonic() - began < 45
    assert "its API process is gone" in (stack.folder / "worker.log").read_text()
    stack.start_api("api2")
    assert statuses(stack.batch([QUICK] * 5)) == ["correct"] * 5


def test_an_api_that_was_frozen_for_so_long_that_its_runs_were_ended_has_them_run_again(stack):
    answer = stack.later(lambda: stack.batch(slows(16, 4)))
    stack.until(stack.busy, "the batch to be under way")
    stack.kill("api", signal.SIGSTOP)
    log = stack.folder / "worker.log"
    stack.until(lambda: "its API process is gone" in log.read_text(), "the worker to give it up")
    stack.kill("api", signal.SIGCONT)
    assert statuses(answer.result()) == verdicts(16)


def test_work_of_a_client_that_left_is_ended(stack):
    with pytest.raises(httpx.ReadTimeout):
        stack.http.post("/v1/batch", json={"items": slows(64, 8)}, timeout=1.5)
    began = time.monotonic()
    assert statuses(stack.batch([QUICK] * 5)) == ["correct"] * 5
    assert time.monotonic() - began < 6
    stack.until(lambda: not stack.busy(), "the worker to be idle")
    with stack.redis() as client:
        assert client.llen("rq:queue:azr") == 0


def test_a_burst_worker_empties_the_queue_and_ends(stack):
    stack.kill("worker")
    stack.until(lambda: not stack.workers(), "the dead worker to be forgotten")
    answer = stack.later(lambda: stack.batch([QUICK] * 40))
    with stack.redis() as client:
        stack.until(lambda: client.llen("rq:queue:azr") > 0, "the batch to be queued")
    command = [*stack.processes["api"].args[:-3], "worker", "--burst"]
    assert os.spawnve(os.P_WAIT, command[0], command, stack.environment) == 0
    stack.start_worker("second")  # for what the API had not sent yet
    assert statuses(answer.result()) == ["correct"] * 40


def test_an_accepted_job_outlives_a_killed_api_a_killed_worker_and_a_killed_redis(stack):
    items = slows(120, 0.15)
    accepted = stack.http.post("/v1/jobs", json={"items": items})
    assert accepted.status_code == 202
    job = f"/v1/jobs/{accepted.json()['job_id']}"
    stack.until(lambda: stack.http.get(job).json()["done"] >= 10, "the job to be under way")
    stack.kill("api")
    stack.start_api("api2")
    stack.until(lambda: stack.http.get(job).json()["done"] >= 30, "the job to go on")
    stack.kill("worker")
    stack.start_worker("second")
    stack.until(lambda: stack.http.get(job).json()["done"] >= 60, "the job to go on again")
    stack.kill("redis")
    stack.start_redis()

    def finished():
        answer = stack.http.get(job)
        return answer.status_code == 200 and answer.json()["state"] == "finished"

    stack.until(finished, "the job to finish")
    document = stack.http.get(job).json()
    assert document["done"] == document["total"] == 120
    assert statuses(document["results"]) == verdicts(120)
