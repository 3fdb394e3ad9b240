"""Sending chunks, with a real Redis: as jobs that a worker reads, in one transaction."""

import asyncio
import uuid

import pytest
import redis
from rq import Queue
from rq.serializers import JSONSerializer

from executor_service.dispatch.submission import Submission
from executor_service.dispatch.ticket import Place, Ticket
from executor_service.operations import parse_operation
from executor_service.queue.chunks import Chunk, read_order
from executor_service.queue.connection import blocking_client
from executor_service.queue.keys import JOB_FUNCTION, Keys
from executor_service.queue.sender import Sender

pytestmark = pytest.mark.redis


def chunks(count):
    operation = parse_operation("execute", {"program": "x", "inputs": ["\ud800"]})
    ticket = Ticket(Submission([operation] * count, request_id="r"), 0.0)
    return [Chunk([Place(ticket, index, operation)]) for index in range(count)]


def send(server, keys, sent):
    async def go():
        sender = Sender(blocking_client(server.url), keys, "api")
        try:
            await sender.send(sent)
        finally:
            sender.close()

    asyncio.run(go())


def test_chunks_become_jobs_in_order_that_a_worker_reads(redis_server):
    keys, sent = Keys(f"q{uuid.uuid4().hex}"), chunks(3)
    send(redis_server, keys, sent)
    with redis_server.client() as client:
        assert client.lrange(keys.queue_list, 0, -1) == [chunk.id.encode() for chunk in sent]
        queue = Queue(keys.queue, connection=client, serializer=JSONSerializer)
        for job, chunk in zip(queue.jobs, sent, strict=True):
            assert job.func_name == JOB_FUNCTION
            assert "\ud800" not in job.description
            order = read_order(job.args[0])
            assert (order.api, order.chunk, order.requests) == ("api", chunk.id, ("r",))
            assert order.operations == [place.operation for place in chunk.places]


def test_a_hundred_chunks_go_out_in_one_round_trip(start_redis):
    server = start_redis()
    with server.client() as client:
        client.config_resetstat()
        send(server, Keys("one"), chunks(100))
        calls = {name: data["calls"] for name, data in client.info("commandstats").items()}
    assert calls["cmdstat_rpush"] == 100
    assert calls["cmdstat_exec"] == calls["cmdstat_multi"] == 1


def test_a_redis_that_is_away_is_said(start_redis):
    server = start_redis()
    server.kill()
    with pytest.raises(redis.RedisError):
        send(server, Keys("away"), chunks(1))
