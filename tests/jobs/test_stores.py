"""What every store of jobs does alike: first answers count, leases exclude, ends are final."""

import asyncio
import contextlib
import itertools

import pytest

from executor_service.errors import QueueFull
from executor_service.jobs import memory_store, redis_store
from executor_service.jobs.payload import unpack
from executor_service.jobs.record import CHUNK_ITEMS, JobState, Standing
from executor_service.jobs.store import follow
from jobs.world import PATIENCE, item, new_job

ITEMS = [item(str(number)) for number in range(150)]
RUNNING = JobState.RUNNING


def test_a_new_job_is_kept_with_its_items(kind):
    async def go():
        async with kind.store() as store:
            job = new_job(ITEMS)
            assert await store.create(job) == job.record()
            record = await store.find(job.id)
            assert record == job.record()
            assert (record.state, record.done, record.total) == ("queued", 0, 150)
            pieces = [unpack(await store.piece(job.id, number)) for number in range(record.chunks)]
            assert [len(piece) for piece in pieces] == [CHUNK_ITEMS, CHUNK_ITEMS, 22]
            assert list(itertools.chain.from_iterable(pieces)) == ITEMS
            assert await store.piece(job.id, record.chunks) is None
            assert await store.answered(job.id) == set()

    asyncio.run(go())


def test_an_unknown_job_is_none_everywhere(kind):
    async def go():
        async with kind.store() as store:
            unknown = "0" * 32
            assert await store.find(unknown) is None
            assert await store.first("anna", "key") is None
            assert await store.end(unknown, JobState.CANCELLED) is None
            assert await store.piece(unknown, 0) is None
            assert await store.save("runner", unknown, {0: b"1"}) is None
            assert await store.results(unknown, 0, 2) == [None, None]
            assert await store.renew("runner", [unknown]) == [unknown]
            await store.release("runner", unknown)
            assert await store.claim("runner", 9) == []
            assert [record async for record in follow(store, unknown, quiet=1)] == []

    asyncio.run(go())


def test_of_two_answers_to_an_item_the_first_counts(kind):
    async def go():
        async with kind.store() as store:
            job = new_job(ITEMS[:3])
            await store.create(job)
            await store.claim("one", 9)
            assert await store.save("one", job.id, {0: b'"a"', 2: b'"c"'}) == Standing(RUNNING, 2)
            assert await store.save("one", job.id, {0: b'"other"'}) == Standing(RUNNING, 2)
            assert await store.answered(job.id) == {0, 2}
            assert await store.results(job.id, 0, 3) == [b'"a"', None, b'"c"']

    asyncio.run(go())


def test_the_last_answer_finishes_the_job_and_drops_its_items(kind):
    async def go():
        async with kind.store() as store:
            job = new_job(ITEMS[:2])
            await store.create(job)
            await store.claim("one", 9)
            assert await store.save("one", job.id, {}) == Standing(RUNNING, 0)
            finished = Standing(JobState.FINISHED, 2)
            assert await store.save("one", job.id, {0: b"0", 1: b"1"}) == finished
            assert await store.save("one", job.id, {0: b"x"}) == finished
            assert (await store.find(job.id)).standing == finished
            assert await store.results(job.id, 0, 2) == [b"0", b"1"]
            assert await store.piece(job.id, 0) is None
            assert await store.claim("two", 9) == []
            assert (await store.end(job.id, JobState.CANCELLED)).standing == finished

    asyncio.run(go())


def test_only_the_holder_of_a_jobs_lease_saves(kind):
    async def go():
        async with kind.store() as store:
            jobs = [new_job(ITEMS[:3]) for _ in range(3)]
            for job in jobs:
                await store.create(job)
            first = await store.claim("one", 2)
            assert [record.id for record in first] == [job.id for job in jobs[:2]]
            assert [record.id for record in await store.claim("two", 9)] == [jobs[2].id]
            assert await store.claim("three", 9) == []
            assert await store.save("two", jobs[0].id, {0: b"0"}) is None
            assert await store.answered(jobs[0].id) == set()
            assert await store.renew("one", [job.id for job in jobs]) == [jobs[2].id]
            await store.release("two", jobs[0].id)  # not its own
            assert await store.claim("three", 9) == []
            await store.release("one", jobs[0].id)
            assert [record.id for record in await store.claim("three", 9)] == [jobs[0].id]

    asyncio.run(go())


@pytest.mark.parametrize("state", [JobState.CANCELLED, JobState.FAILED])
def test_a_job_that_is_ended_early_stays_so(kind, state):
    async def go():
        async with kind.store() as store:
            job = new_job(ITEMS[:3], key="k")
            await store.create(job)
            await store.claim("one", 9)
            await store.save("one", job.id, {1: b"1"})
            record = await store.end(job.id, state, "why")
            assert (record.state, record.done, record.message) == (state, 1, "why")
            assert await store.save("one", job.id, {0: b"0"}) == Standing(state, 1)
            assert await store.end(job.id, JobState.FAILED, "again") == record
            assert await store.find(job.id) == record
            assert await store.first("anna", "k") == record
            assert await store.results(job.id, 0, 3) == [None] * 3
            assert await store.piece(job.id, 0) is None
            assert await store.renew("one", [job.id]) == [job.id]
            assert await store.claim("two", 9) == []

    asyncio.run(go())


def test_an_idempotency_key_is_its_owners_alone(kind):
    async def go():
        async with kind.store() as store:
            job, again = new_job(ITEMS[:1], key="k"), new_job(ITEMS[:2], key="k")
            assert await store.create(job) == job.record()
            assert await store.create(again) == job.record()
            assert await store.find(again.id) is None
            assert await store.piece(again.id, 0) is None
            assert await store.first("anna", "k") == job.record()
            assert await store.first("bert", "k") is None
            other = new_job(ITEMS[:1], owner="bert", key="k")
            assert (await store.create(other)).id == other.id
            assert len(await store.claim("one", 9)) == 2

    asyncio.run(go())


def test_of_many_at_once_with_one_key_one_job_comes_to_be(kind):
    async def go():
        async with kind.store() as store:
            jobs = [new_job(ITEMS, key="k") for _ in range(20)]
            records = await asyncio.gather(*[store.create(job) for job in jobs])
            assert len({record.id for record in records}) == 1
            assert [record.id for record in await store.claim("one", 99)] == [records[0].id]

    asyncio.run(go())


def test_an_ended_job_and_its_key_are_forgotten_after_their_time(kind):
    async def go():
        async with kind.store(result_ttl=0.3) as store:
            finished, cancelled, open_one = (new_job(ITEMS[:1], key=key) for key in "abc")
            for job in (finished, cancelled, open_one):
                await store.create(job)
            await store.claim("one", 9)
            await store.save("one", finished.id, {0: b"0"})
            await store.end(cancelled.id, JobState.CANCELLED)
            assert (await store.find(finished.id)).state == "finished"
            await asyncio.sleep(0.4)
            for job in (finished, cancelled):
                assert await store.find(job.id) is None
                assert await store.first("anna", job.key) is None
                assert await store.results(job.id, 0, 1) == [None]
            assert (await store.find(open_one.id)).state == "queued"
            again = new_job(ITEMS[:1], key="a")
            assert (await store.create(again)).id == again.id

    asyncio.run(go())


def test_followers_see_how_a_job_stands_and_every_last_change(kind):
    async def go():
        async with kind.store() as store:
            job = new_job(ITEMS[:3])
            await store.create(job)
            await store.claim("one", 9)
            seen = []
            async with asyncio.timeout(PATIENCE):
                changes = follow(store, job.id, quiet=60)
                async with contextlib.aclosing(changes) as records:
                    async for record in records:
                        seen.append((str(record.state), record.done))
                        if not record.state.ended:
                            await store.save("one", job.id, {record.done: b"0"})
            assert seen == [("queued", 0), ("running", 1), ("running", 2), ("finished", 3)]
            assert store.watchers.count() == 0

    asyncio.run(go())


def test_a_follower_looks_for_itself_when_it_hears_nothing(kind):
    async def go():
        async with kind.store() as store:
            job = new_job(ITEMS[:1])
            await store.create(job)
            async with asyncio.timeout(PATIENCE):
                changes = follow(store, job.id, quiet=0.05)
                assert (await anext(changes)).state == "queued"
                store.watchers.tell = lambda *_: None
                await store.end(job.id, JobState.CANCELLED)
                rest = [record.state async for record in changes]
            assert rest[-1] == "cancelled"

    asyncio.run(go())


def test_too_many_unfinished_jobs_are_refused(kind, monkeypatch):
    monkeypatch.setattr(memory_store, "MAX_OPEN", 2)
    monkeypatch.setattr(redis_store, "MAX_OPEN", 2)

    async def go():
        async with kind.store() as store:
            kept = new_job(ITEMS)
            await store.create(kept)
            await store.create(new_job(ITEMS))
            refused = new_job(ITEMS)
            with pytest.raises(QueueFull):
                await store.create(refused)
            assert await store.find(refused.id) is None
            assert await store.piece(refused.id, 0) is None
            await store.end(kept.id, JobState.CANCELLED)
            await store.create(new_job(ITEMS))

    asyncio.run(go())


def test_memory_takes_no_new_job_above_its_bound_until_there_is_room():
    async def go():
        store = memory_store.MemoryJobStore(result_ttl=0.2, max_bytes=50_000)
        job = new_job(ITEMS[:2])
        await store.create(job)
        await store.claim("one", 9)
        await store.save("one", job.id, {0: b"x" * 40_000})
        with pytest.raises(QueueFull):
            await store.create(new_job(ITEMS[:1]))
        await store.save("one", job.id, {1: b"0"})
        with pytest.raises(QueueFull) as refusal:
            await store.create(new_job(ITEMS[:1]))
        assert refusal.value.retry_after >= 1
        await asyncio.sleep(0.25)
        await store.create(new_job(ITEMS[:1]))
        assert 0 < store.size < 1000

    asyncio.run(go())
