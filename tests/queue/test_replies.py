"""The reply stream, with a real Redis: in order, in bounded memory, whatever comes."""

import asyncio
import json
import time
import uuid

import pytest
import redis

from executor_service.queue.replies import Replies

pytestmark = pytest.mark.redis


@pytest.fixture
def stream():
    return f"replies-{uuid.uuid4().hex}"


@pytest.fixture
def client(redis_server):
    with redis_server.client() as made:
        yield made


def add(client, stream, *messages):
    client.xadd(stream, {"m": json.dumps(messages)})


def read(server, stream, until, handle=None, answer_seconds=10.0):
    """Read until ``until`` says so of what was read; return (what was read, the reader)."""
    seen = []

    async def go():
        replies = Replies(server.url, stream, answer_seconds=answer_seconds)
        async with asyncio.timeout(20):
            while not until(seen, replies):
                await replies.read(handle or seen.append)
        await replies.close()
        return replies

    return seen, asyncio.run(go())


def test_messages_arrive_in_order_and_do_not_pile_up_in_redis(redis_server, client, stream):
    for number in range(300):
        add(client, stream, ["result", "a", number], ["result", "b", number])
    seen, _ = read(redis_server, stream, lambda seen, _: len(seen) == 600)
    assert [message[2] for message in seen] == [n // 2 for n in range(600)]
    assert client.xlen(stream) < 64


def test_large_results_that_were_read_are_removed_at_once(redis_server, client, stream):
    add(client, stream, ["result", "a", 0, "x" * 300_000])
    read(redis_server, stream, lambda seen, _: len(seen) == 1)
    assert client.xlen(stream) == 0


def test_the_last_small_ones_are_removed_when_nothing_more_comes(redis_server, client, stream):
    add(client, stream, ["started", "a", "w"])
    read(redis_server, stream, lambda seen, _: len(seen) == 1)
    assert client.xlen(stream) == 1
    read(
        redis_server, stream, lambda _, replies: replies._last != b"0-0" and not replies._untrimmed
    )
    assert client.xlen(stream) == 0


def test_what_cannot_be_read_or_handled_does_not_keep_back_the_next_one(
    redis_server, client, stream, caplog
):
    client.xadd(stream, {"other": "field"})
    client.xadd(stream, {"m": "no JSON"})
    add(client, stream, "bad", "bad", "good")
    good = []

    def handle(message):
        if message == "bad":
            raise ZeroDivisionError
        good.append(message)

    read(redis_server, stream, lambda *_: good, handle)
    assert good == ["good"]
    assert len([r for r in caplog.records if "could not be handled" in r.message]) == 3


def test_it_knows_until_when_it_has_read_everything(redis_server, client, stream, monkeypatch):
    monkeypatch.setattr("executor_service.queue.replies._AT_ONCE", 4)
    for number in range(9):
        add(client, stream, number)
    began = time.monotonic()
    _, replies = read(redis_server, stream, lambda seen, _: len(seen) == 8)
    assert replies.known_until == 0.0  # as many as it asked for: there may be more
    _, replies = read(redis_server, stream, lambda seen, replies: replies.known_until > 0)
    assert began < replies.known_until <= time.monotonic()


def test_it_asks_for_less_when_answers_do_not_come_in_time_and_for_more_again(
    redis_server, client, stream, monkeypatch
):
    for number in range(8):
        add(client, stream, number)
    asked = []

    async def go():
        replies = Replies(redis_server.url, stream)
        xread = replies._client.xread

        async def slow_when_much(streams, count, block):
            asked.append(count)
            if len(asked) < 20 and count > 2:
                raise redis.TimeoutError
            return await xread(streams, count=count, block=block)

        monkeypatch.setattr(replies._client, "xread", slow_when_much)
        seen = []
        async with asyncio.timeout(10):
            while len(seen) < 8:
                await replies.read(seen.append)
        await replies.close()
        return seen

    assert asyncio.run(go()) == list(range(8))
    assert asked[:8] == [256, 128, 64, 32, 16, 8, 4, 2]
    assert asked[8] == 4


def test_a_frozen_redis_costs_time_and_no_message(start_redis, stream):
    server = start_redis()

    async def go():
        seen = []
        replies = Replies(server.url, stream, answer_seconds=-0.5)
        with server.client() as client:
            add(client, stream, 1)
            await replies.read(seen.append)
            add(client, stream, 2)
        server.freeze()
        await replies.read(seen.append)
        server.thaw()
        fewer = replies.at_once
        async with asyncio.timeout(20):
            while len(seen) < 2:
                await replies.read(seen.append)
        await replies.close()
        return seen, fewer

    assert asyncio.run(go()) == ([1, 2], 128)
