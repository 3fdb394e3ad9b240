"""Single calls that travel together."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest

from trainer.verifier.scripted import Scripted, client, problem, session, verdict, verdicts
from trainer_client.errors import VerifierAway, VerifierError


def right() -> Scripted:
    return Scripted(lambda _, asked: verdicts(asked))


async def ask(verifier, number):
    found = await verifier.verify("deduction", "p", answer=str(number))
    return int(found.got)


def test_concurrent_calls_travel_in_one_request():
    script = right()

    async def main():
        async with client(script) as verifier:
            return await asyncio.gather(*(ask(verifier, number) for number in range(40)))

    assert asyncio.run(main()) == list(range(40))
    assert script.sizes == [40]


def test_a_full_request_leaves_at_once():
    script = right()

    async def main():
        async with client(script, batch_items=16) as verifier:
            return await asyncio.gather(*(ask(verifier, number) for number in range(40)))

    assert asyncio.run(main()) == list(range(40))
    assert script.sizes == [16, 16, 8]


def test_calls_of_many_threads_travel_together():
    script = right()
    with session(script) as verifier, ThreadPoolExecutor(20) as threads:
        asked = [
            threads.submit(verifier.verify, "deduction", "p", answer=str(number))
            for number in range(20)
        ]
        assert [int(one.result().got) for one in asked] == list(range(20))
    assert len(script.asked) < 20


def test_a_mistake_in_one_call_is_that_caller_s_alone():
    def reply(_, asked):
        bad = {"error": {"detail": "answer: a string is wanted", "field": "answer"}}
        return [bad if a["answer"] is None else verdict(a) for a in asked]

    async def main():
        async with client(Scripted(reply)) as verifier:
            return await asyncio.gather(
                ask(verifier, 1),
                verifier.verify("deduction", "p", answer=None),
                ask(verifier, 2),
                return_exceptions=True,
            )

    first, second, third = asyncio.run(main())
    assert (first, third) == (1, 2)
    assert isinstance(second, VerifierError)
    assert "answer" in str(second)


def test_trouble_reaches_every_call_of_the_request():
    async def main():
        script = Scripted(lambda _, asked: problem(503))
        async with client(script, patience_seconds=0.05) as verifier:
            return await asyncio.gather(
                *(ask(verifier, number) for number in range(3)), return_exceptions=True
            )

    assert [type(error) for error in asyncio.run(main())] == [VerifierAway] * 3


def test_a_caller_that_left_is_not_asked_for_and_keeps_nobody_back():
    script = right()

    async def main():
        async with client(script) as verifier:
            left, stayed = (asyncio.create_task(ask(verifier, number)) for number in (1, 2))
            await asyncio.sleep(0)
            left.cancel()
            assert await stayed == 2
            with pytest.raises(asyncio.CancelledError):
                await left

    asyncio.run(main())
    assert [[one["answer"] for one in asked] for asked in script.asked] == [["2"]]


@pytest.mark.parametrize("seconds", [0.0, 0.05])
def test_closing_cancels_calls_whether_they_wait_or_travel(seconds):
    async def main():
        script = Scripted(lambda _, asked: 30.0)
        verifier = client(script, request_seconds=60)
        call = asyncio.create_task(ask(verifier, 1))
        await asyncio.sleep(seconds)
        await verifier.aclose()
        with pytest.raises(asyncio.CancelledError):
            await call
        assert len(asyncio.all_tasks()) == 1

    asyncio.run(main())
