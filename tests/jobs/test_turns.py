"""Room for operations: bounded, and in turn between owners."""

import asyncio

import pytest

from executor_service.jobs.turns import Turns


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


def test_what_has_no_room_waits_until_some_is_given_back():
    async def go():
        turns = Turns(100)
        await turns.take("a", 60)
        second = asyncio.ensure_future(turns.take("a", 60))
        await settle()
        assert not second.done()
        assert turns.out == 60
        turns.give_back(10)
        await settle()
        assert not second.done()
        turns.give_back(10)
        await second
        assert turns.out == 100

    asyncio.run(go())


def test_owners_take_turns_however_many_one_of_them_sends():
    async def go():
        turns = Turns(64)
        order = []

        async def one(owner):
            await turns.take(owner, 64)
            order.append(owner)
            turns.give_back(64)

        await turns.take("first", 64)
        tasks = [asyncio.ensure_future(one("many")) for _ in range(10)]
        await settle()
        tasks += [asyncio.ensure_future(one("few")) for _ in range(3)]
        await settle()
        turns.give_back(64)
        await asyncio.gather(*tasks)
        return order

    assert asyncio.run(go())[:6] == ["many", "few"] * 3


def test_who_stops_waiting_neither_blocks_the_others_nor_keeps_room():
    async def go():
        turns = Turns(64)
        await turns.take("a", 64)
        gone = asyncio.ensure_future(turns.take("a", 64))
        served = asyncio.ensure_future(turns.take("b", 10))
        stays = asyncio.ensure_future(turns.take("b", 20))
        await settle()
        gone.cancel()
        await settle()
        turns.give_back(64)
        served.cancel()  # in the moment in which it has got its room
        with pytest.raises(asyncio.CancelledError):
            await served
        await stays
        assert turns.out == 20
        turns.give_back(20)
        await turns.take("c", 64)

    asyncio.run(go())


def test_the_largest_request_always_has_room():
    async def go():
        await Turns(1).take("a", 64)

    asyncio.run(go())
