"""The dispatcher: fair, bounded, never stuck, and honest about its own defects."""

import asyncio
import contextlib

import pytest

from executor_service.dispatch.embedded import EmbeddedDispatcher
from executor_service.dispatch.submission import Submission
from executor_service.errors import QueueFull, RequestError
from executor_service.operations import AnyOperation, parse_operation


def operation(name: str = "x") -> AnyOperation:
    return parse_operation("execute", {"program": name, "inputs": ["1"]})


class FakeVerifier:
    """Answers with the program's text after a pause; some texts make trouble."""

    def __init__(self, pause: float = 0.0) -> None:
        self.pause = pause
        self.begun: list[str] = []
        self.at_once = 0
        self.most_at_once = 0

    async def carry_out(self, operation: AnyOperation) -> dict[str, object]:
        self.begun.append(operation.program)
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            await asyncio.sleep(self.pause)
        finally:
            self.at_once -= 1
        if operation.program == "defect":
            raise ZeroDivisionError
        if operation.program == "unacceptable":
            raise RequestError("not acceptable", field="program")
        return {"said": operation.program}


def dispatcher(verifier, concurrency=4, queue_size=1024) -> EmbeddedDispatcher:
    return EmbeddedDispatcher(verifier, concurrency=concurrency, queue_size=queue_size)


async def all_of(made: EmbeddedDispatcher, names: list[str]) -> list[tuple[int, object]]:
    return [item async for item in made.submit(Submission([operation(name) for name in names]))]


def test_every_operation_has_one_result_with_its_index():
    async def go():
        return await all_of(dispatcher(FakeVerifier()), [str(n) for n in range(50)])

    results = asyncio.run(go())
    assert sorted(results, key=lambda item: item[0]) == [(n, {"said": str(n)}) for n in range(50)]


def test_results_come_as_they_finish():
    class Uneven(FakeVerifier):
        async def carry_out(self, operation):
            await asyncio.sleep(0.2 if operation.program == "slow" else 0)
            return operation.program

    async def go():
        return await all_of(dispatcher(Uneven()), ["slow", "a", "b", "c"])

    assert asyncio.run(go())[-1] == (0, "slow")


def test_a_single_operation_is_not_kept_waiting_by_a_large_batch():
    async def go():
        verifier = FakeVerifier(0.002)
        made = dispatcher(verifier, concurrency=2)
        batch = asyncio.ensure_future(all_of(made, ["batch"] * 500))
        await asyncio.sleep(0.01)
        await all_of(made, ["single"])
        begun_before = verifier.begun.index("single")
        still_waiting = not batch.done()
        await batch
        return begun_before, still_waiting

    begun_before, still_waiting = asyncio.run(go())
    assert begun_before < 20
    assert still_waiting


def test_two_batches_take_turns():
    async def go():
        verifier = FakeVerifier(0.001)
        made = dispatcher(verifier, concurrency=1)
        await asyncio.gather(all_of(made, ["a"] * 40), all_of(made, ["b"] * 40))
        return verifier.begun

    begun = asyncio.run(go())
    assert abs(begun[:40].count("a") - begun[:40].count("b")) <= 2


def test_no_more_than_the_concurrency_run_at_once():
    async def go():
        verifier = FakeVerifier(0.001)
        made = dispatcher(verifier, concurrency=3)
        await asyncio.gather(*[all_of(made, ["x"] * 10) for _ in range(5)])
        return verifier.most_at_once

    assert asyncio.run(go()) == 3


def test_more_than_fits_is_refused_whole_before_any_of_it_runs():
    async def go():
        verifier = FakeVerifier(0.01)
        made = dispatcher(verifier, queue_size=10)
        first = asyncio.ensure_future(all_of(made, ["first"] * 6))
        await asyncio.sleep(0)
        assert made.queued() == 6
        with pytest.raises(QueueFull) as refusal:
            await all_of(made, ["second"] * 5)
        assert refusal.value.retry_after >= 1
        assert "second" not in verifier.begun
        await all_of(made, ["third"] * 4)
        assert len(await first) == 6
        return made.queued()

    assert asyncio.run(go()) == 0


def test_more_bytes_than_fit_are_refused_until_the_others_are_done():
    async def go():
        made = EmbeddedDispatcher(
            FakeVerifier(0.01), concurrency=4, queue_size=100, queue_bytes=10_000
        )
        first = asyncio.ensure_future(all_of(made, ["x" * 6_000]))
        await asyncio.sleep(0)
        with pytest.raises(QueueFull, match="EXECUTOR_QUEUE_BYTES"):
            await all_of(made, ["y" * 6_000])
        await first
        return await all_of(made, ["y" * 6_000])

    assert len(asyncio.run(go())) == 1


def test_an_abandoned_stream_gives_its_room_back_and_begins_nothing_more():
    async def go():
        verifier = FakeVerifier(0.01)
        made = dispatcher(verifier, concurrency=2, queue_size=100)
        async with contextlib.aclosing(
            made.submit(Submission([operation("left")] * 100))
        ) as results:
            await anext(results)
        begun = len(verifier.begun)
        assert made.queued() <= 2
        assert len(await all_of(made, ["next"] * 90)) == 90
        assert verifier.begun.count("left") == begun
        await asyncio.sleep(0.05)
        return made.queued()

    assert asyncio.run(go()) == 0


def test_a_waiter_that_is_cancelled_gives_its_room_back():
    async def go():
        made = dispatcher(FakeVerifier(0.01), concurrency=2, queue_size=100)
        task = asyncio.ensure_future(all_of(made, ["x"] * 100))
        await asyncio.sleep(0.02)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.sleep(0.05)
        return made.queued()

    assert asyncio.run(go()) == 0


def test_a_defect_becomes_an_infra_error_without_a_score_and_stalls_nobody():
    async def go():
        return dict(await all_of(dispatcher(FakeVerifier()), ["a", "defect", "unacceptable", "b"]))

    results = asyncio.run(go())
    (outcome,) = results[1]["outcomes"]
    assert outcome["status"] == "infra_error"
    assert outcome["value"] is None
    assert outcome["retryable"] is True
    assert isinstance(results[2], RequestError)
    assert results[0] == {"said": "a"}
    assert results[3] == {"said": "b"}


def test_the_next_request_is_served_however_the_last_one_ended():
    # With one worker, a request that follows at once must not count the one that just stopped.
    async def go():
        made = dispatcher(FakeVerifier(), concurrency=1)
        for _ in range(50):
            async with asyncio.timeout(5):
                await all_of(made, ["x"])
        async with asyncio.timeout(5):
            await asyncio.gather(*[all_of(made, ["x"]) for _ in range(20)])

    asyncio.run(go())


def test_closing_ends_what_is_under_way():
    async def go():
        verifier = FakeVerifier(60)
        made = dispatcher(verifier)
        task = asyncio.ensure_future(all_of(made, ["x"] * 3))
        await asyncio.sleep(0.01)
        async with asyncio.timeout(5):
            await made.close()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return verifier.at_once

    assert asyncio.run(go()) == 0
