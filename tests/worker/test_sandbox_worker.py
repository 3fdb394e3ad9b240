"""Feeders take chunks only where there is a sandbox for them, and log nobody's programs."""

import logging
import time

import pytest
from rq import Queue
from rq.serializers import JSONSerializer

from executor_service import logs
from executor_service.queue.connection import blocking_client
from executor_service.queue.keys import JOB_FUNCTION
from executor_service.worker import sandbox_worker
from executor_service.worker.sandbox_worker import Feeder, SandboxWorker

pytestmark = pytest.mark.redis
PATIENCE = 15.0


@pytest.fixture
def client(redis_server):
    with blocking_client(redis_server.url) as made:
        yield made


def enqueue(client, name, text, function=JOB_FUNCTION):
    queue = Queue(name, connection=client, serializer=JSONSerializer)
    queue.enqueue(function, args=(text,), result_ttl=0, failure_ttl=60, description="chunk")
    return queue


def until(condition):
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_no_chunk_is_taken_while_no_sandbox_runs(client):
    warm, taken = [], []
    queue = enqueue(client, "cold", "one")
    feeder = Feeder(client, "cold", "w-cold", taken.append, ready=lambda: bool(warm), burst=False)
    feeder.start()
    try:
        time.sleep(0.5)
        assert (taken, queue.count) == ([], 1)
        warm.append(1)
        until(lambda: taken == ["one"])
    finally:
        feeder.stop()
        feeder.join(PATIENCE)
    assert not feeder.is_alive()


def test_a_burst_worker_without_a_sandbox_ends_and_leaves_the_queue_to_others(client, monkeypatch):
    monkeypatch.setattr(sandbox_worker, "_BURST_PATIENCE_S", 0.2)
    taken = []
    queue = enqueue(client, "burst", "one")
    feeder = Feeder(client, "burst", "w-burst", taken.append, ready=lambda: False, burst=True)
    feeder.start()
    feeder.join(PATIENCE)
    assert not feeder.is_alive()
    assert (taken, queue.count) == ([], 1)
    feeder = Feeder(client, "burst", "w-burst2", taken.append, ready=lambda: True, burst=True)
    feeder.start()
    feeder.join(PATIENCE)
    assert (taken, queue.count) == (["one"], 0)


@pytest.mark.parametrize("function", [JOB_FUNCTION, "os.system"])
def test_a_chunk_that_fails_is_logged_without_its_programs(client, caplog, function):
    def broken(text):
        raise ValueError(text)

    enqueue(client, "failing", "SECRET program", function)
    with caplog.at_level(logging.WARNING):
        feeder = Feeder(client, "failing", "w-failing", broken, ready=lambda: True, burst=True)
        feeder.start()
        feeder.join(PATIENCE)
    failed = [record for record in caplog.records if "failed" in record.getMessage()]
    assert len(failed) == 1
    expected = "ValueError" if function == JOB_FUNCTION else "ForeignJobError"
    assert expected in failed[0].getMessage()
    assert not [r for r in caplog.records if "SECRET" in logs.JsonFormatter().format(r)]


def test_records_of_a_feeder_bear_the_name_of_its_worker(client, caplog):
    caplog.handler.addFilter(logs.ContextFilter())
    enqueue(client, "named", "x")
    with logs.context(worker="host-1"):
        feeder = Feeder(client, "named", "w-named", int, ready=lambda: True, burst=True)
    feeder.start()
    feeder.join(PATIENCE)
    (record,) = [record for record in caplog.records if "failed" in record.getMessage()]
    assert record.worker == "host-1"


def test_redis_that_is_back_is_soon_noticed():
    assert SandboxWorker.max_connection_wait_time <= 2.0
