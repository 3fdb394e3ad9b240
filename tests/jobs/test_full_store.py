"""A Redis that is full: jobs can be ended and kept on lease, and everything goes on afterwards."""

import asyncio
import uuid

import pytest

from executor_service.errors import QueueFull, StoreFull
from executor_service.jobs import run
from executor_service.jobs.record import JobState, Standing
from jobs.world import Echo, ended, item, new_job, redis_store, results_of, running, until

pytestmark = pytest.mark.redis
NUMBERED = [item(str(number)) for number in range(400)]
SAID = [{"said": str(number)} for number in range(400)]


@pytest.fixture
def prefix() -> str:
    return f"test-{uuid.uuid4().hex[:8]}"


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch):
    monkeypatch.setattr(run, "_LONGEST_PAUSE_S", 0.1)
    monkeypatch.setattr("executor_service.jobs.runner._LOOK_EVERY_S", 0.1)


def fill(server):
    """Have Redis refuse whatever may take memory."""
    client = server.client()
    client.set("ballast", b"x" * 30_000_000)
    client.config_set("maxmemory", "24mb")
    with pytest.raises(Exception, match="maxmemory"):
        client.set("more", b"x")


def address_of_the_stack(server):
    """Return the address for a user who may do what docker-compose.yml lets the stack's do."""
    rules = ["on", ">secret", "~*", "&*", "+@all", "-@admin", "-@dangerous", "+info"]
    server.client().execute_command("ACL", "SETUSER", "stack", *rules, "+client|list")
    return f"unix://stack:secret@{server.socket}"


def free(server):
    server.client().delete("ballast")


def test_a_full_redis_ends_jobs_and_keeps_leases_and_takes_nothing_more(start_redis, prefix):
    server = start_redis()

    async def go():
        async with redis_store(address_of_the_stack(server), prefix, lease_seconds=30) as store:
            jobs = [new_job(NUMBERED, key=f"{number}") for number in range(3)]
            for job in jobs:
                await store.create(job)
            assert len(await store.claim("one", 2)) == 2
            assert await store.save("one", jobs[0].id, {0: b"0"}) == Standing(JobState.RUNNING, 1)
            fill(server)
            server.client().script_flush()  # as after a restart
            with pytest.raises(StoreFull, match="maxmemory"):
                await store.save("one", jobs[0].id, {1: b"1"})
            assert await store.save("one", jobs[1].id, {}) == Standing(JobState.RUNNING, 0)
            assert await store.renew("one", [job.id for job in jobs[:2]]) == []
            assert [record.id for record in await store.claim("two", 9)] == [jobs[2].id]
            await store.release("two", jobs[2].id)
            with pytest.raises(QueueFull):
                await store.create(new_job(NUMBERED))
            cancelled = await store.end(jobs[0].id, JobState.CANCELLED)
            assert cancelled.standing == Standing(JobState.CANCELLED, 1)
            assert await store.results(jobs[0].id, 0, 1) == [None]
            assert await store.piece(jobs[0].id, 0) is None
            failed = await store.end(jobs[1].id, JobState.FAILED, "why")
            assert (failed.state, failed.message) == ("failed", "why")
            assert await store.answered(jobs[2].id) == set()
            free(server)
            await store.create(new_job(NUMBERED))
            assert len(await store.claim("two", 9)) == 2

    asyncio.run(go())


def test_what_a_full_redis_refuses_for_a_while_is_saved_later(start_redis, prefix):
    server = start_redis()

    async def go():
        async with redis_store(server.url, prefix) as store:
            verifier = Echo(0.005)
            async with running(store, verifier, concurrency=4) as runner:
                job = await runner.add(new_job(NUMBERED))
                await until(lambda: at_least(store, job.id, 50))
                await asyncio.to_thread(fill, server)
                before = len(await store.answered(job.id))
                await asyncio.sleep(0.7)
                # Something may have been on its way.
                assert len(await store.answered(job.id)) <= before + 256
                assert (await store.find(job.id)).state == "running"
                free(server)
                record = await ended(store, job.id)
                assert record.state == "finished"
                assert await results_of(store, record) == SAID
                assert set(verifier.begun.values()) == {1}

    asyncio.run(go())


def test_a_redis_that_stays_full_fails_the_job_and_says_why(start_redis, prefix, monkeypatch):
    monkeypatch.setattr(run, "_FULL_PATIENCE_S", 0.5)
    server = start_redis()

    async def go():
        async with (
            redis_store(server.url, prefix) as store,
            running(store, Echo(0.005), concurrency=4) as runner,
        ):
            job = await runner.add(new_job(NUMBERED))
            await until(lambda: at_least(store, job.id, 20))
            await asyncio.to_thread(fill, server)
            record = await ended(store, job.id)
            assert record.state == "failed"
            assert "Redis has no room" in record.message
            assert "maxmemory" in record.message
            await until(lambda: runner.active == 0)
            assert runner.out == 0
            free(server)
            well = await runner.add(new_job(NUMBERED))
            assert (await ended(store, well.id)).state == "finished"

    asyncio.run(go())


async def at_least(store, job_id, count):
    return (await store.find(job_id)).done >= count
