"""The census, with a real Redis: who is alive, with how many sandboxes, and since when nobody."""

import asyncio
import json
import uuid

import pytest

from executor_service.queue.census import Census, pack
from executor_service.queue.connection import async_client
from executor_service.queue.keys import Keys

pytestmark = pytest.mark.redis


@pytest.fixture
def keys():
    return Keys(f"q{uuid.uuid4().hex}")


@pytest.fixture
def client(redis_server):
    with redis_server.client() as made:
        yield made


def beat(client, keys, name, **said):
    client.sadd(keys.workers, name)
    client.set(keys.worker(name), json.dumps({"slots": 2, "warm": 2, **said}))


def with_census(server, keys, use):
    async def go():
        redis = async_client(server.url)
        try:
            return await use(Census(redis, keys))
        finally:
            await redis.aclose()

    return asyncio.run(go())


def test_the_living_are_counted_and_the_dead_forgotten(redis_server, client, keys):
    beat(client, keys, "w1")
    beat(client, keys, "w2", slots=3)
    client.sadd(keys.workers, "dead")

    async def use(census):
        await census.refresh()
        assert sorted(census.workers) == ["w1", "w2"]
        assert census.slots == 5
        client.delete(keys.worker("w2"))
        await census.refresh()
        assert list(census.workers) == ["w1"]

    with_census(redis_server, keys, use)
    assert client.smembers(keys.workers) == {b"w1"}


def test_a_worker_without_a_running_sandbox_does_not_end_the_absence(redis_server, client, keys):
    async def use(census):
        await census.refresh()
        await asyncio.sleep(0.05)
        beat(client, keys, "w1", warm=0)
        await census.refresh()
        absent = census.absent_seconds
        beat(client, keys, "w1", warm=1)
        await census.refresh()
        return absent, census.absent_seconds

    absent, present = with_census(redis_server, keys, use)
    assert absent >= 0.05
    assert present < absent


def test_metrics_of_the_living_are_shown(redis_server, client, keys):
    beat(client, keys, "w1")
    beat(client, keys, "w2")
    for name in ("w1", "w2"):
        client.set(keys.metrics(name), pack({"runs": name}))

    async def use(census):
        await census.refresh()
        await census.refresh_metrics()
        both = census.snapshots()
        client.delete(keys.worker("w2"))
        await census.refresh()
        return both, census.snapshots()

    assert with_census(redis_server, keys, use) == (
        {"w1": {"runs": "w1"}, "w2": {"runs": "w2"}},
        {"w1": {"runs": "w1"}},
    )
