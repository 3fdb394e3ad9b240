"""Stores hold no more than they may, for no longer than they should."""

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from executor_service.cache.store import LayeredStore, MemoryStore

ROOM = 8000


def do(coroutine):
    return asyncio.run(coroutine)


keys = st.integers(0, 20).map(lambda number: number.to_bytes(32))


@given(st.lists(st.tuples(keys, st.binary(max_size=1200)), max_size=60))
def test_memory_is_bounded_and_holds_what_was_put_last(entries):
    store = MemoryStore(ROOM, ttl=1000)

    async def fill():
        kept = {}
        for key, data in entries:
            await store.put(key, data)
            assert store.figures().bytes <= ROOM
            found = await store.get(key)
            assert found == data or (found is None and len(data) > 600)
            kept[key] = found
        there = {key: await store.get(key) for key in kept}
        assert all(data in (None, kept[key]) for key, data in there.items())
        held = [data for data in there.values() if data is not None]
        assert store.figures().entries == len(held)
        assert store.figures().bytes >= sum(map(len, held))

    do(fill())


def test_what_was_not_asked_for_longest_goes_first():
    store = MemoryStore(ROOM, ttl=1000)

    async def fill():
        for number in range(8):
            await store.put(bytes([number]), b"x" * 500)
            await store.get(b"\0")  # wanted all the time
        await store.put(b"new", b"x" * 500)
        await store.put(b"newer", b"x" * 500)
        return [await store.get(bytes([number])) is not None for number in range(8)]

    there = do(fill())
    assert there[0]
    assert not there[1]
    assert there == [True] + [False] * (there.count(False)) + [True] * (7 - there.count(False))
    assert store.figures().evictions == there.count(False)


def test_one_entry_takes_a_part_of_the_room_at_most():
    store = MemoryStore(ROOM, ttl=1000)
    do(store.put(b"k", b"x" * (ROOM // 2)))
    assert do(store.get(b"k")) is None
    assert store.figures().bytes == 0


def test_an_entry_that_is_replaced_is_counted_once():
    store = MemoryStore(ROOM, ttl=1000)
    do(store.put(b"k", b"x" * 100))
    before = store.figures()
    do(store.put(b"k", b"y" * 100))
    assert store.figures() == before
    assert do(store.get(b"k")) == b"y" * 100


def test_an_entry_ends_with_its_time():
    now = [0.0]
    store = MemoryStore(ROOM, ttl=10, clock=lambda: now[0])
    do(store.put(b"k", b"data"))
    now[0] = 9.9
    assert do(store.get(b"k")) == b"data"
    now[0] = 10.0
    assert do(store.get(b"k")) is None
    assert store.figures().entries == store.figures().bytes == 0


def test_the_far_store_is_asked_once_for_what_is_then_near():
    near, far = MemoryStore(ROOM, ttl=1000), MemoryStore(ROOM, ttl=1000)
    both = LayeredStore(near, far)
    do(far.put(b"k", b"theirs"))
    assert do(both.get(b"k")) == b"theirs"
    assert do(near.get(b"k")) == b"theirs"
    do(both.put(b"l", b"ours"))
    assert do(far.get(b"l")) == do(near.get(b"l")) == b"ours"
    assert do(both.get(b"m")) is None
    assert both.figures().entries == 4
