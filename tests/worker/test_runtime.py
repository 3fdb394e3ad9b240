"""A worker answers each chunk, or leaves it so that the API sends it elsewhere."""

import asyncio
import logging

import pytest

from executor_service import logs
from executor_service.queue.tasks import end_tasks
from executor_service.worker import api_watch
from executor_service.worker import runtime as module
from executor_service.worker.heart import beat
from worker.world import API, payload, world

pytestmark = pytest.mark.redis


def in_world(server, test, **settings):
    """Run ``test(world)`` in an event loop."""

    async def main():
        async with world(server, **settings) as made:
            await test(made)

    asyncio.run(main())


def results(messages):
    return {number: rest[0] for kind, _, number, *rest in messages if kind == "result"}


def test_a_chunk_is_answered_and_then_no_longer_in_hand(redis_server):
    async def test(made):
        await made.deliver(payload("c1", "a", "b"))
        messages = await made.messages()
        assert messages[0] == ["started", "c1", made.runtime.name]
        assert results(messages) == {0: {"said": "a"}, 1: {"said": "b"}}
        assert made.runtime.in_hand == []
        assert made.runtime.chunks_done == 1

    in_world(redis_server, test)


def test_a_result_too_large_to_send_is_an_infrastructure_error_and_spares_its_neighbours(
    redis_server, monkeypatch
):
    monkeypatch.setattr(module, "LARGEST_MESSAGE", 10_000)

    async def test(made):
        await made.deliver(payload("c1", "a", "bytes 20000", "b"))
        found = results(await made.messages())
        assert found[0] == {"said": "a"}
        assert found[2] == {"said": "b"}
        (outcome,) = found[1]["outcomes"]
        assert (outcome["status"], outcome["retryable"]) == ("infra_error", True)

    in_world(redis_server, test)


def test_a_finished_chunk_does_not_wait_for_the_results_of_another(redis_server):
    async def test(made):
        await made.client.set(made.runtime.keys.api("other"), "1")
        await made.client.set(made.runtime.keys.replies("other"), "no stream")
        stuck = made.deliver(payload("c1", "a", api="other"))
        await made.until(lambda: made.verifier.begun)
        await made.deliver(payload("c2", "b"))
        assert results(await made.messages()) == {0: {"said": "b"}}
        assert made.runtime.in_hand == ["c1"]
        await made.client.delete(made.runtime.keys.api("other"))
        await stuck

    in_world(redis_server, test)


def test_a_chunk_delivered_twice_is_carried_out_once(redis_server):
    async def test(made):
        first = made.deliver(payload("c1", "wait"))
        await made.until(lambda: made.verifier.begun)
        await made.deliver(payload("c1", "wait"))
        assert made.runtime.in_hand == ["c1"]
        made.verifier.gate.set()
        await first
        assert made.verifier.begun == ["wait"]
        assert len(await made.messages()) == 2

    in_world(redis_server, test)


def test_a_chunk_in_hand_without_any_sandbox_is_handed_back(redis_server):
    async def test(made):
        answer = made.deliver(payload("c1", "quick", "wait"))
        await made.until(lambda: len(made.verifier.begun) == 2)
        assert made.runtime.ready()
        made.runtime.service.pool.warm = 0
        assert not made.runtime.ready()
        await answer
        assert made.runtime.in_hand == []
        assert made.runtime.chunks_handed_back == 1
        assert made.verifier.cancelled == 1
        assert results(await made.messages()) == {0: {"said": "quick"}}

    in_world(redis_server, test)


def test_sandboxes_that_come_back_soon_keep_the_chunk(redis_server):
    async def test(made):
        answer = made.deliver(payload("c1", "wait"))
        await made.until(lambda: made.verifier.begun)
        made.runtime.service.pool.warm = 0
        await asyncio.sleep(0.7)
        made.runtime.service.pool.warm = 1
        await asyncio.sleep(0.7)
        made.verifier.gate.set()
        await answer
        assert results(await made.messages()) == {0: {"said": "wait"}}

    in_world(redis_server, test, worker_ttl=10)


def test_the_runs_of_a_chunk_whose_api_is_gone_are_ended(redis_server, monkeypatch):
    monkeypatch.setattr(api_watch, "_GONE_S", 1.0)

    async def test(made):
        await made.client.set(made.runtime.keys.api("other"), "1")
        orphan = made.deliver(payload("c1", "wait 1", "wait 2", api="other"))
        kept = made.deliver(payload("c2", "wait 3"))
        await made.until(lambda: len(made.verifier.begun) == 3)
        await made.client.delete(made.runtime.keys.api("other"))
        await orphan
        assert made.verifier.cancelled == 2
        assert made.runtime.chunks_orphaned == 1
        assert made.runtime.in_hand == ["c2"]
        made.verifier.gate.set()
        await kept
        assert results(await made.messages()) == {0: {"said": "wait 3"}}

    in_world(redis_server, test)


def test_an_api_that_is_missing_for_a_moment_keeps_its_runs(redis_server):
    async def test(made):
        answer = made.deliver(payload("c1", "wait"))
        await made.until(lambda: made.verifier.begun)
        await made.client.delete(made.runtime.keys.api(API))
        await asyncio.sleep(2)
        await made.client.set(made.runtime.keys.api(API), "1")
        await asyncio.sleep(1)
        made.verifier.gate.set()
        await answer
        assert results(await made.messages()) == {0: {"said": "wait"}}
        assert (made.verifier.cancelled, made.runtime.chunks_orphaned) == (0, 0)

    in_world(redis_server, test)


@pytest.mark.parametrize(
    "text",
    [
        '{"api": "api", "chunk": "c9", "attempt": 1, "requests": [],'
        ' "operations": [["execute", {"program": "SECRET", "inputs": "SECRET"}]]}',
        '{"chunk": "SECRET SECRET"}',
        "SECRET",
        "[]",
    ],
)
def test_a_payload_that_cannot_be_read_is_left_and_nothing_of_it_is_logged(
    redis_server, caplog, text
):
    async def test(made):
        await made.deliver(text)
        assert await made.messages() == []
        assert made.runtime.in_hand == []

    in_world(redis_server, test)
    (record,) = caplog.records
    assert "cannot be read" in record.getMessage()
    assert ("c9" in record.getMessage()) == ("c9" in text)
    assert "SECRET" not in logs.JsonFormatter().format(record)


def test_a_failure_while_a_chunk_is_carried_out_is_not_raised_and_not_quoted(
    redis_server, caplog, monkeypatch
):
    async def test(made):
        def broken(submission):
            raise RuntimeError(submission.operations[0].program)

        monkeypatch.setattr(made.runtime.service.dispatcher, "submit", broken)
        await made.deliver(payload("c1", "SECRET"))
        assert made.runtime.in_hand == []

    in_world(redis_server, test)
    assert "chunk c1 failed: RuntimeError" in caplog.text
    assert "SECRET" not in caplog.text


def test_a_chunk_given_up_is_ended_and_one_given_up_before_is_not_begun(redis_server):
    async def test(made):
        listening = asyncio.create_task(made.runtime.listen())
        answer = made.deliver(payload("c1", "wait"))
        await made.until(lambda: made.verifier.begun)
        async with asyncio.timeout(10):
            while not answer.done():
                await made.client.publish(made.runtime.keys.control, "c1 c2")
                await asyncio.sleep(0.05)
        await made.deliver(payload("c2", "never"))
        assert made.verifier.begun == ["wait"]
        assert made.runtime.chunks_refused == 1
        await end_tasks([listening])

    in_world(redis_server, test)


def test_a_silent_control_channel_is_tried_and_opened_anew(start_redis, monkeypatch):
    monkeypatch.setattr(module, "_SILENCE_S", 0.2)
    server = start_redis()

    async def test(made):
        listening = asyncio.create_task(made.runtime.listen())
        while not (await made.client.pubsub_numsub(made.runtime.keys.control))[0][1]:
            await asyncio.sleep(0.01)
        (before,) = await made.client.client_list(_type="pubsub")
        await asyncio.sleep(0.7)
        (same,) = await made.client.client_list(_type="pubsub")
        assert same["id"] == before["id"]  # it answers its pings
        server.freeze()  # as a dropped connection: nothing comes, and nobody says so
        await asyncio.sleep(0.7)
        server.thaw()
        async with asyncio.timeout(10):
            while {c["id"] for c in await made.client.client_list(_type="pubsub")} <= {
                before["id"]
            }:
                await asyncio.sleep(0.05)
        async with asyncio.timeout(10):
            while "c1" not in made.runtime._given_up:
                await made.client.publish(made.runtime.keys.control, "c1")
                await asyncio.sleep(0.05)
        await end_tasks([listening])

    in_world(server, test)


def test_listening_survives_an_unforeseen_error_and_says_so_once(redis_server, monkeypatch, caplog):
    hear = module.Runtime._hear
    calls = []

    async def failing(self):
        calls.append(1)
        if len(calls) < 3:
            raise ZeroDivisionError("SECRET")
        await hear(self)

    monkeypatch.setattr(module.Runtime, "_hear", failing)

    async def test(made):
        listening = asyncio.create_task(made.runtime.listen())
        await made.until(lambda: len(calls) == 3)
        await end_tasks([listening])

    in_world(redis_server, test)
    assert caplog.text.count("ZeroDivisionError") == 1
    assert "SECRET" not in caplog.text


def test_the_heart_beats_on_though_the_metrics_fail(redis_server, caplog):
    async def test(made):
        made.runtime.service.info = dict
        made.runtime.service.pool.busy = 0  # and there are no metrics at all
        beating = asyncio.create_task(beat(made.runtime, 1.0))
        key = made.runtime.keys.worker(made.runtime.name)
        await asyncio.sleep(0.3)
        await made.client.delete(key)
        async with asyncio.timeout(10):
            while not await made.client.exists(key):
                await asyncio.sleep(0.05)
        await asyncio.sleep(1)
        await end_tasks([beating])

    in_world(redis_server, test)
    assert "a heartbeat failed: AttributeError" in caplog.text


def test_records_made_for_a_chunk_bear_its_requests(redis_server, caplog):
    caplog.handler.addFilter(logs.ContextFilter())

    async def test(made):
        answer = made.deliver(payload("c1", "wait"))
        await made.until(lambda: made.verifier.begun)
        made.runtime.service.pool.warm = 0
        await answer

    with caplog.at_level(logging.WARNING):
        in_world(redis_server, test)
    (record,) = caplog.records
    assert record.request_id == "request-1"
