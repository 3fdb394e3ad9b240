"""Jobs in Redis: they survive the death of any process, Redis included, and are answered once."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import uuid
from pathlib import Path

import pytest

from executor_service.errors import InfrastructureError, QueueFull
from executor_service.jobs import run
from executor_service.jobs.record import JobState
from executor_service.jobs.redis_calls import reachable
from executor_service.jobs.store import follow
from jobs.world import (
    PATIENCE,
    Echo,
    ended,
    item,
    new_job,
    redis_store,
    results_of,
    running,
    until,
)

pytestmark = pytest.mark.redis
NUMBERED = [item(str(number)) for number in range(600)]
SAID = [{"said": str(number)} for number in range(600)]


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch):
    monkeypatch.setattr(run, "_LONGEST_PAUSE_S", 0.2)
    monkeypatch.setattr("executor_service.jobs.runner._LOOK_EVERY_S", 0.2)


@pytest.fixture
def prefix() -> str:
    return f"test-{uuid.uuid4().hex[:8]}"


async def done(store, job_id, count):
    return (await store.find(job_id)).done >= count


def test_a_job_outlives_a_killed_process_and_no_item_is_answered_twice(redis_server, prefix):
    async def go():
        async with redis_store(redis_server.url, prefix, lease_seconds=1.0) as store:
            job = new_job(NUMBERED)
            await store.create(job)
            child = subprocess.Popen(
                [sys.executable, "-m", "jobs.crashing", redis_server.url, prefix],
                cwd=Path(__file__).parent.parent,
            )
            try:
                await until(lambda: done(store, job.id, 100))
                before = await store.answered(job.id)
            finally:
                os.kill(child.pid, signal.SIGKILL)
                child.wait()
            verifier = Echo()
            async with running(store, verifier):
                record = await ended(store, job.id)
            assert record.state == "finished"
            assert await results_of(store, record) == SAID
            # What had been saved was not done again, and nothing was done twice here.
            assert not {str(number) for number in before} & set(verifier.begun)
            assert set(verifier.begun.values()) == {1}
            assert len(verifier.begun) <= 500

    asyncio.run(go())


def test_two_processes_that_live_share_the_jobs_and_do_none_twice(redis_server, prefix):
    async def go():
        async with contextlib.AsyncExitStack() as stack:
            verifiers = [Echo(0.001), Echo(0.001)]
            runners = []
            for verifier in verifiers:
                store = await stack.enter_async_context(redis_store(redis_server.url, prefix))
                runners.append(await stack.enter_async_context(running(store, verifier)))
            jobs = [
                await runners[number % 2].add(new_job([item(f"{number}")] * 100))
                for number in range(10)
            ]
            for job in jobs:
                assert (await ended(runners[0].store, job.id)).state == "finished"
            both = verifiers[0].begun + verifiers[1].begun
            assert dict(both) == {str(number): 100 for number in range(10)}
            assert all(verifier.begun for verifier in verifiers)

    asyncio.run(go())


def test_a_runner_that_has_lost_its_lease_lets_go(redis_server, prefix):
    async def go():
        async with redis_store(redis_server.url, prefix, lease_seconds=0.6) as store:
            slow = Echo(0.01)
            async with running(store, slow, concurrency=2) as runner:
                job = await runner.add(new_job(NUMBERED))
                await until(lambda: done(store, job.id, 10))
                redis_server.client().set(f"{prefix}:job:{job.id}:lease", "another")
                await until(lambda: runner.active == 0)
                kept = await store.answered(job.id)
                assert await store.save(runner.name, job.id, {599: b"1"}) is None
                await asyncio.sleep(0.1)
                assert await store.answered(job.id) == kept
                assert runner.out == 0
                redis_server.client().delete(f"{prefix}:job:{job.id}:lease")
                slow.pause = 0
                assert (await ended(store, job.id)).state == "finished"

    asyncio.run(go())


def test_a_job_survives_a_crash_of_redis_itself(start_redis, prefix):
    server = start_redis(append_only=True)

    async def go():
        async with redis_store(server.url, prefix) as store:
            verifier = Echo(0.002)
            async with running(store, verifier, concurrency=4) as runner:
                job = await runner.add(new_job(NUMBERED, key="k"))
                await until(lambda: done(store, job.id, 100))
                await asyncio.to_thread(server.kill)
                with pytest.raises(InfrastructureError):
                    await runner.add(new_job(NUMBERED))
                with pytest.raises(InfrastructureError):
                    await store.find(job.id)
                await asyncio.sleep(0.3)
                await asyncio.to_thread(server.start)
                record = await ended(store, job.id)
                assert record.state == "finished"
                assert await results_of(store, record) == SAID
                assert (await store.first("anna", "k")).id == job.id
                assert (await runner.add(new_job(NUMBERED, key="k"))).id == job.id

    asyncio.run(go())


def test_a_job_survives_a_redis_that_loses_its_last_answers(redis_server, prefix):
    # As after a crash with appendfsync everysec.
    async def go():
        async with redis_store(redis_server.url, prefix) as store:
            verifier = Echo(0.005)
            async with running(store, verifier, concurrency=4) as runner:
                job = await runner.add(new_job(NUMBERED[:200]))
                await until(lambda: done(store, job.id, 100))
                redis_server.client().hdel(f"{prefix}:job:{job.id}:results", *range(60))
                record = await ended(store, job.id)
                assert record.state == "finished"
                assert await results_of(store, record) == SAID[:200]

    asyncio.run(go())


def test_a_redis_that_stops_answering_for_a_while_costs_time_alone(start_redis, prefix):
    server = start_redis()

    async def go():
        async with redis_store(server.url, prefix) as store:
            verifier = Echo(0.002)
            async with running(store, verifier, concurrency=4) as runner:
                job = await runner.add(new_job(NUMBERED))
                await until(lambda: done(store, job.id, 50))
                server.freeze()
                await asyncio.sleep(2.5)  # longer than the client waits for an answer
                begun = sum(verifier.begun.values())
                assert begun < 600
                server.thaw()
                record = await ended(store, job.id)
                assert await results_of(store, record) == SAID

    asyncio.run(go())


def test_a_job_is_cancelled_and_followed_through_any_process(redis_server, prefix):
    async def go():
        async with contextlib.AsyncExitStack() as stack:
            here = await stack.enter_async_context(redis_store(redis_server.url, prefix))
            there = await stack.enter_async_context(redis_store(redis_server.url, prefix))
            await there.start()
            runner = await stack.enter_async_context(running(here, Echo(0.01), concurrency=2))
            job = await runner.add(new_job(NUMBERED))
            seen = []

            async def watch():
                async for record in follow(there, job.id, quiet=PATIENCE):
                    seen.append(record.standing)

            watching = asyncio.ensure_future(watch())
            await until(lambda: len(seen) >= 3)
            await there.end(job.id, JobState.CANCELLED)
            async with asyncio.timeout(5):
                await watching
            await until(lambda: runner.active == 0, 5)
            assert seen[-1].state == "cancelled"
            assert [standing.done for standing in seen] == sorted(s.done for s in seen)

    asyncio.run(go())


def test_news_is_heard_again_after_the_connection_was_lost(redis_server, prefix):
    async def go():
        async with redis_store(redis_server.url, prefix) as store:
            await store.start()
            job = new_job(NUMBERED[:1])
            await store.create(job)
            changes = follow(store, job.id, quiet=PATIENCE)
            assert (await anext(changes)).state == "queued"
            redis_server.client().execute_command("CLIENT", "KILL", "TYPE", "pubsub")
            await store.end(job.id, JobState.CANCELLED)  # while nobody listens
            async with asyncio.timeout(10):
                assert (await anext(changes)).state == "cancelled"
            await changes.aclose()

    asyncio.run(go())


def test_nothing_of_an_ended_job_stays_for_ever(redis_server, prefix):
    async def go():
        async with (
            redis_store(redis_server.url, prefix, result_ttl=5) as store,
            running(store, Echo()) as runner,
        ):
            for number in range(3):
                job = await runner.add(new_job(NUMBERED, key=f"k{number}"))
                if number == 0:
                    await store.end(job.id, JobState.CANCELLED)
                await ended(store, job.id)

    asyncio.run(go())
    client = redis_server.client()
    keys = list(client.scan_iter(f"{prefix}*"))
    assert len(keys) == 3 + 2 + 3  # records, results, idempotency keys
    assert all(0 < client.pttl(key) <= 5000 for key in keys)


def test_an_open_job_is_kept_as_long_as_somebody_works_on_it(redis_server, prefix):
    async def go():
        async with redis_store(redis_server.url, prefix) as store:
            job = new_job(NUMBERED[:2], key="k")
            await store.create(job)
            await store.claim("one", 9)
            await store.save("one", job.id, {0: b"0"})
            client = redis_server.client()
            keys = [key for key in client.scan_iter(f"{prefix}*") if not key.endswith(b":open")]
            kept = [key for key in keys if not key.endswith(b":lease")]
            assert len(kept) == 4
            for key in kept:
                client.expire(key, 100)
            await store.renew("one", [job.id])
            assert all(client.ttl(key) > 86_400 for key in kept)

    asyncio.run(go())


def test_a_redis_that_is_nearly_full_takes_no_new_job(start_redis, prefix):
    server = start_redis(options=("--maxmemory", "64mb"))

    async def go():
        async with redis_store(server.url, prefix) as store:
            await store.create(new_job(NUMBERED))
            for number in range(10):
                server.client().set(f"ballast {number}", b"x" * 5_000_000)
            with pytest.raises(QueueFull):
                await store.create(new_job(NUMBERED))
            server.client().flushall()
            await store.create(new_job(NUMBERED))

    asyncio.run(go())


def test_a_cancellation_is_never_lost_in_a_call(redis_server, prefix):
    async def go():
        async with redis_store(redis_server.url, prefix) as store:
            await store.find("0" * 32)  # connected now
            for steps in range(12):

                async def forever():
                    while True:
                        with reachable():
                            await store.find("0" * 32)

                task = asyncio.ensure_future(forever())
                for _ in range(steps):
                    await asyncio.sleep(0)
                task.cancel()
                async with asyncio.timeout(5):
                    with pytest.raises(asyncio.CancelledError):
                        await task

    asyncio.run(go())
