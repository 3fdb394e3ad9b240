"""A worker knows which API processes live, asks Redis seldom, and gives none up too soon."""

import asyncio
import itertools

import pytest

from executor_service.queue.connection import async_client
from executor_service.queue.keys import Keys
from executor_service.worker import api_watch as module
from executor_service.worker.api_watch import ApiWatch

pytestmark = pytest.mark.redis
_UNIQUE = itertools.count()


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Everything five times as quick."""
    for name in ("_SEEN_S", "_LOOK_S", "_GONE_S"):
        monkeypatch.setattr(module, name, getattr(module, name) / 5)


def watching(server, test):
    """Run ``test(watch, client, key of the API "a")`` in an event loop."""

    async def main():
        client, keys = async_client(server.url), Keys(f"watch{next(_UNIQUE)}")
        async with client, asyncio.timeout(20):
            await test(ApiWatch(client, keys), client, keys.api("a"))

    asyncio.run(main())


async def until_gone(watch):
    """Ask until the API counts as gone; return the seconds that it took."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    while not await watch.gone("a"):
        await asyncio.sleep(0.02)
    return loop.time() - began


def test_an_api_that_is_missing_is_not_worth_beginning_for_and_gone_after_a_while(redis_server):
    async def test(watch, client, key):
        assert not await watch.lives("a")
        assert not await watch.gone("a")
        assert await until_gone(watch) > module._GONE_S / 2
        await client.set(key, "1")
        assert await watch.lives("a")
        assert not await watch.gone("a")

    watching(redis_server, test)


def test_one_that_comes_back_in_time_was_never_gone(redis_server):
    async def test(watch, client, key):
        await client.set(key, "1")
        for _ in range(3):  # together longer than it takes to be gone
            await client.delete(key)
            for _ in range(20):
                assert not await watch.gone("a")
                await asyncio.sleep(0.02)
            await client.set(key, "1")
            await asyncio.sleep(module._LOOK_S * 1.5)
            assert not await watch.gone("a")
        await client.delete(key)
        await until_gone(watch)

    watching(redis_server, test)


def test_redis_is_asked_once_in_a_while_however_many_chunks_ask(redis_server):
    async def test(watch, client, key):
        await client.set(key, "1")
        asked = (await client.info("commandstats")).get("cmdstat_exists", {"calls": 0})["calls"]
        began = asyncio.get_running_loop().time()
        for _ in range(30):
            assert not any(await asyncio.gather(*[watch.gone("a") for _ in range(50)]))
            assert all(await asyncio.gather(*[watch.lives("a") for _ in range(50)]))
            await asyncio.sleep(0.01)
        periods = (asyncio.get_running_loop().time() - began) / module._LOOK_S
        asked = (await client.info("commandstats"))["cmdstat_exists"]["calls"] - asked
        assert 1 <= asked <= 50 + periods + 1  # the very first may be asked side by side

    watching(redis_server, test)


def test_while_redis_is_away_nobody_is_gone(start_redis):
    server = start_redis()

    async def test(watch, client, key):
        assert not await watch.lives("a")
        server.kill()
        for _ in range(10):
            await asyncio.sleep(module._GONE_S / 5)
            assert not await watch.gone("a")
            assert await watch.lives("a")

    watching(server, test)


def test_processes_that_nobody_asks_about_are_forgotten(redis_server, monkeypatch):
    monkeypatch.setattr(module, "_FORGET_S", 0.2)

    async def test(watch, client, key):
        for number in range(20):
            await watch.lives(f"old {number}")
        await asyncio.sleep(0.3)
        await watch.lives("new")
        assert list(watch._sights) == ["new"]

    watching(redis_server, test)
