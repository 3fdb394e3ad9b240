"""Records in Redis: shared between processes, bounded, and never a reason for a run to fail."""

import asyncio
import contextlib
import socket
import threading
import time

import pytest
import redis
from redis.asyncio import Redis

from cache.world import PLAIN, SURROUNDINGS, World, result
from executor_service.cache import redis_store
from executor_service.cache.cached_runs import CachedRuns
from executor_service.cache.key import run_key
from executor_service.cache.record import MAX_RECORD_BYTES
from executor_service.cache.redis_store import RedisStore
from executor_service.cache.store import LayeredStore, MemoryStore

pytestmark = pytest.mark.redis

PREFIX = "test:cache:"
KEY = b"k" * 32


@contextlib.asynccontextmanager
async def store_of(server, **options):
    client = Redis.from_url(server.url)
    try:
        yield RedisStore(client, PREFIX, 100, **options)
    finally:
        await client.aclose()


@pytest.fixture
def direct(server):
    with redis.Redis(unix_socket_path=str(server.socket)) as client:
        client.flushall()
        yield client


async def three_times(store, program=lambda request, number: 7):
    """Ask a process of its own for one run three times; return the answers and the runs."""
    world = World(program)
    runs = CachedRuns(world, store, lambda: SURROUNDINGS)
    answers = [await runs.run(PLAIN) for _ in range(3)]
    return answers, world.runs, runs.counters()


def test_bytes_come_back_until_their_time_is_over(server, direct):
    async def scenario():
        async with store_of(server) as store:
            assert await store.get(KEY) is None
            await store.put(KEY, b"\0\xffdata")
            assert await store.get(KEY) == b"\0\xffdata"
            assert store.figures().errors == 0

    asyncio.run(scenario())
    assert direct.keys() == [PREFIX.encode() + KEY.hex().encode()]
    assert 0 < direct.ttl(direct.keys()[0]) <= 100


def test_what_one_process_found_another_need_not_run(server, direct):
    async def scenario():
        async with store_of(server) as one, store_of(server) as other:
            _, first, _ = await three_times(LayeredStore(MemoryStore(1 << 20, 100), one))
            answers, second, found = await three_times(
                LayeredStore(MemoryStore(1 << 20, 100), other)
            )
            assert (first, second) == (3, 0)
            assert found.hits == 3
            assert found.entries == 1
            assert all(answer.values == result("7").values for answer in answers)

    asyncio.run(scenario())


POISON = [
    b"nonsense", b"", b"\x80\x04K.", b" " * (MAX_RECORD_BYTES + 9),
    b'[[0,"ok",{"t":"int","v":"8"},null,"","",[0,0,0],1]]',
    b'[[0,"timeout",null,["","",null],"","",[0,0,0]]]',
]  # fmt: skip


@pytest.mark.parametrize("poison", POISON, ids=range(len(POISON)))
def test_an_odd_value_is_a_miss(server, direct, poison):
    direct.set(PREFIX + run_key(SURROUNDINGS, PLAIN).hex(), poison)

    async def scenario():
        async with store_of(server) as store:
            answers, runs, _ = await three_times(store)
            assert runs == 3
            assert answers[0].values == result("7").values

    asyncio.run(scenario())


def test_a_key_of_another_type_is_a_miss(server, direct):
    direct.rpush(PREFIX + KEY.hex(), "x")

    async def scenario():
        async with store_of(server) as store:
            assert await store.get(KEY) is None
            assert store.figures().errors == 1

    asyncio.run(scenario())


def test_a_full_redis_takes_nothing_and_runs_go_on(server, direct):
    direct.set(PREFIX + (b"o" * 32).hex(), b"old")
    direct.config_set("maxmemory-policy", "noeviction")
    direct.config_set("maxmemory", 1)
    try:

        async def scenario():
            async with store_of(server) as store:
                await store.put(KEY, b"x" * 100)
                answers, runs, found = await three_times(store)
                assert runs == 4  # one of them to confirm, and the third as well
                assert [answer.status for answer in answers] == ["ok"] * 3
                assert found.refused_full == 2
                assert found.store_errors == 0
                assert await store.get(b"o" * 32) == b"old"

        asyncio.run(scenario())
    finally:
        direct.config_set("maxmemory", 0)


def test_a_write_that_redis_refuses_is_a_miss_and_writes_rest_for_a_while(server, direct):
    direct.config_set("maxmemory-policy", "noeviction")

    async def scenario():
        async with store_of(server) as store:
            await store.put(b"o" * 32, b"old")  # sees that there is room
            direct.config_set("maxmemory", 1)
            for _ in range(3):
                await store.put(KEY, b"x" * 100)
            assert store.figures().errors == 1
            assert await store.get(KEY) is None
            assert await store.get(b"o" * 32) == b"old"

    try:
        asyncio.run(scenario())
    finally:
        direct.config_set("maxmemory", 0)


def test_however_many_processes_write_redis_keeps_most_of_its_memory(server, direct, monkeypatch):
    monkeypatch.setattr(redis_store, "_LOOK_EVERY_BYTES", 100_000)
    direct.config_set("maxmemory-policy", "noeviction")
    most = 20_000_000
    direct.config_set("maxmemory", most)

    async def scenario():
        refused = 0
        for process in range(8):
            async with store_of(server) as store:
                for number in range(20):
                    await store.put(bytes([process, number]) * 16, b"x" * 100_000)
                refused += store.figures().refused
        assert refused > 50
        used = direct.info("memory")["used_memory"]
        assert 0.25 * most < used < 0.45 * most
        async with store_of(server) as store:
            monkeypatch.setattr(redis_store, "_LOOK_EVERY_S", 0.0)
            await store.put(KEY, b"x" * 100_000)
            assert await store.get(KEY) is None
            direct.flushall()
            await store.put(KEY, b"x" * 100_000)
            assert await store.get(KEY) is not None

    try:
        asyncio.run(scenario())
    finally:
        direct.config_set("maxmemory", 0)


def test_one_process_takes_a_bounded_part_of_redis(server, direct):
    async def scenario():
        async with store_of(server, max_bytes=5000) as store:
            for number in range(20):
                await store.put(bytes([number]) * 32, b"x" * 500)

    asyncio.run(scenario())
    kept = direct.keys()
    assert 4 <= len(kept) <= 10
    assert sum(map(direct.memory_usage, kept)) < 6500


def test_a_thousand_questions_at_once_take_few_connections(server, direct):
    async def scenario():
        async with store_of(server) as store:
            await asyncio.gather(*[store.get(bytes([n % 256]) * 32) for n in range(1000)])
            assert store.figures().errors == 0
            assert len(direct.client_list()) < 40

    asyncio.run(scenario())


def test_redis_may_go_and_come_back(start_redis, monkeypatch):
    monkeypatch.setattr(redis_store, "_BACK_OFF_S", 0.3)
    server = start_redis()

    async def scenario():
        async with store_of(server) as store:
            await store.put(KEY, b"data")
            server.stop()
            answers, runs, found = await three_times(store)
            assert [answer.status for answer in answers] == ["ok"] * 3
            assert runs == 4  # one of them to confirm, and the third as well
            # Asked once; then left alone for a while.
            assert found.store_errors == 1
            server.start()
            await asyncio.sleep(0.4)
            await store.put(KEY, b"again")
            assert await store.get(KEY) == b"again"

    asyncio.run(scenario())


def test_a_redis_that_does_not_answer_costs_one_short_wait(tmp_path):
    path = str(tmp_path / "silent.sock")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen()
        held = []

        def accept():
            with contextlib.suppress(OSError):
                held.append(listener.accept())

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()

        async def scenario():
            client = Redis(unix_socket_path=path)
            started = time.monotonic()
            answers, _, found = await three_times(RedisStore(client, PREFIX, 100))
            assert time.monotonic() - started < 3
            assert [answer.status for answer in answers] == ["ok"] * 3
            assert found.store_errors == 1
            await client.aclose()

        asyncio.run(scenario())
        thread.join(5)
        for connection, _ in held:
            connection.close()
