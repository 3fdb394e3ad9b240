"""Results reach Redis in order; what it refuses holds up nobody else, and is not kept for ever."""

import asyncio
import json

import pytest

from executor_service.queue.connection import async_client
from executor_service.worker import publisher as module
from executor_service.worker.publisher import Publisher, encode

pytestmark = pytest.mark.redis
MIB = 2**20


def with_publisher(server, test, *, gone=None, patience=60.0):
    """Run ``test(publisher, client)`` in an event loop."""

    async def nobody_is_gone(stream):
        return False

    async def main():
        client = async_client(server.url)
        publisher = Publisher(client, gone=gone or nobody_is_gone, patience=patience)
        try:
            async with asyncio.timeout(20):
                await test(publisher, client)
        finally:
            await publisher.close()
            await client.aclose()

    asyncio.run(main())


async def read(client, stream):
    """Return the entries of a stream."""
    return [json.loads(fields[b"m"]) for _, fields in await client.xrange(stream)]


def test_messages_arrive_in_order_and_entries_stay_small(redis_server):
    async def test(publisher, client):
        sent = [["result", "c", number, "x" * (MIB * 3 // 2)] for number in range(5)]
        for message in sent:
            last = publisher.put("small", encode(message))
        await publisher.written("small", last)
        entries = await read(client, "small")
        assert [message for entry in entries for message in entry] == sent
        assert [len(entry) for entry in entries] == [2, 2, 1]
        assert await client.ttl("small") > 0
        await client.delete("small")

    with_publisher(redis_server, test)


def test_a_stream_that_redis_refuses_holds_up_no_other(redis_server):
    async def test(publisher, client):
        await client.set("bad", "this is no stream")
        publisher.put("bad", encode(["started", "c", "w"]))
        for number in range(3):
            await publisher.written("good", publisher.put("good", encode(["result", "c", number])))
        assert len(await read(client, "good")) == 3
        await client.delete("bad")
        await publisher.written("bad", publisher.put("bad", encode(["result", "c", 0, {}])))
        assert (await read(client, "bad"))[0][0] == ["started", "c", "w"]
        await client.delete("bad", "good")

    with_publisher(redis_server, test)


def test_refused_messages_are_dropped_when_their_api_is_gone(redis_server):
    async def gone(stream):
        return True

    async def test(publisher, client):
        await client.set("bad", "this is no stream")
        await publisher.written("bad", publisher.put("bad", encode(["started", "c", "w"])))
        assert publisher.dropped == 1
        await client.delete("bad")

    with_publisher(redis_server, test, gone=gone)


def test_a_redis_without_memory_refuses_for_a_bounded_time_and_then_takes_again(start_redis):
    server = start_redis(options=("--maxmemory-policy", "noeviction"))

    async def test(publisher, client):
        await client.config_set("maxmemory", 1)
        await publisher.written("s", publisher.put("s", encode(["result", "c", 0, "lost"])))
        assert publisher.dropped == 1
        await client.config_set("maxmemory", 0)
        await publisher.written("s", publisher.put("s", encode(["result", "c", 1, "kept"])))
        assert await read(client, "s") == [[["result", "c", 1, "kept"]]]

    with_publisher(server, test, patience=0.1)


def test_a_restart_of_redis_loses_no_message(start_redis):
    server = start_redis()

    async def test(publisher, client):
        server.kill()
        number = publisher.put("s", encode(["result", "c", 0, {}]))
        await asyncio.sleep(1)
        server.start()
        await publisher.written("s", number)
        assert await read(client, "s") == [[["result", "c", 0, {}]]]

    with_publisher(server, test, patience=0.1)


def test_an_unforeseen_error_ends_no_writer_and_its_words_are_not_logged(
    redis_server, monkeypatch, caplog
):
    monkeypatch.setattr(module, "_PAUSE_S", 0.01)
    failures = [MemoryError("secret"), ZeroDivisionError("secret")]
    write = Publisher._write

    async def failing(self, stream, texts):
        if failures:
            raise failures.pop()
        await write(self, stream, texts)

    monkeypatch.setattr(Publisher, "_write", failing)

    async def test(publisher, client):
        await publisher.written("s", publisher.put("s", encode(["result", "c", 0, {}])))
        assert len(await read(client, "s")) == 1
        await client.delete("s")

    with_publisher(redis_server, test)
    assert "ZeroDivisionError" in caplog.text
    assert "secret" not in caplog.text


def test_waiting_for_one_message_does_not_wait_for_later_ones(redis_server, monkeypatch):
    async def test(publisher, client):
        first = publisher.put("s", encode(["result", "c", 0, {}]))
        await publisher.written("s", first)
        write = Publisher._write
        monkeypatch.setattr(Publisher, "_write", lambda *_: asyncio.Event().wait())
        later = publisher.put("s", encode(["result", "d", 0, {}]))
        await publisher.written("s", first)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(publisher.written("s", later), 0.1)
        monkeypatch.setattr(Publisher, "_write", write)
        await client.delete("s")

    with_publisher(redis_server, test)
