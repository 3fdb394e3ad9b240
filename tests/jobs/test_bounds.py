"""What one job, one result, one owner and one call may take, with either kind of store."""

import asyncio

import pytest

from executor_service.errors import QueueFull, StoreFull
from executor_service.jobs import memory_store, redis_store, run
from executor_service.jobs.record import JobState, Standing
from jobs.world import Echo, ended, item, new_job, results_of, until


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch):
    monkeypatch.setattr(run, "_LONGEST_PAUSE_S", 0.1)


def test_a_job_whose_results_are_over_its_budget_fails_and_frees_them(kind):
    async def go():
        async with kind.store(result_bytes=3000) as store:
            job, other = new_job([item("x")] * 4), new_job([item("y")])
            for one in (job, other):
                await store.create(one)
            await store.claim("one", 9)
            running = Standing(JobState.RUNNING, 2)
            assert await store.save("one", job.id, {0: b"x" * 1500, 1: b"y" * 1500}) == running
            # What is there already does not count again.
            assert await store.save("one", job.id, {0: b"z" * 2000}) == running
            assert (await store.save("one", job.id, {2: b"z"})).state == "failed"
            record = await store.find(job.id)
            assert record.state == "failed"
            assert "EXECUTOR_JOB_RESULT_BYTES" in record.message
            assert "3000" in record.message
            assert await store.results(job.id, 0, 4) == [None] * 4
            assert (await store.save("one", other.id, {0: b"1"})).state == "finished"

    asyncio.run(go())


def test_a_run_ends_with_its_job_when_the_results_are_too_many(kind):
    async def go():
        async with kind.running(Echo(), result_bytes=20_000) as runner:
            job = await runner.add(new_job([item("x" * 100)] * 1000))
            record = await ended(runner.store, job.id)
            assert record.state == "failed"
            assert "EXECUTOR_JOB_RESULT_BYTES" in record.message
            await until(lambda: runner.active == 0)
            assert runner.out == 0

    asyncio.run(go())


def test_one_call_has_no_more_results_than_its_bytes_and_all_are_saved(kind, monkeypatch):
    monkeypatch.setattr(run, "_SAVE_BYTES", 1000)
    monkeypatch.setattr(run, "_SAVE_EVERY_S", 0.01)

    async def go():
        async with kind.running(Echo(), concurrency=200) as runner:
            calls = []
            plain = runner.store.save

            async def counted(runner_name, job_id, results):
                calls.append([len(text) for text in results.values()])
                return await plain(runner_name, job_id, results)

            runner.store.save = counted
            texts = ["x" * 300] * 150 + ["y" * 5000] + ["z"] * 100
            job = await runner.add(new_job([item(text) for text in texts]))
            record = await ended(runner.store, job.id)
            assert await results_of(runner.store, record) == [{"said": text} for text in texts]
            assert all(sum(sizes) <= 1000 or len(sizes) == 1 for sizes in calls)
            assert max(map(sum, calls)) > 5000
            assert sum(map(len, calls)) == len(texts)

    asyncio.run(go())


def test_a_result_too_large_to_be_kept_is_infra_error_and_its_neighbours_stay(kind, monkeypatch):
    monkeypatch.setattr(run, "_LARGEST", 1000)

    async def go():
        verifier = Echo()
        async with kind.running(verifier) as runner:
            large = item("x" * 2000)
            check = {"op": "validate", "program": "y" * 2000, "input": "1"}
            job = await runner.add(new_job([item("a"), large, check, item("b")]))
            record = await ended(runner.store, job.id)
            first, execute, validate, last = await results_of(runner.store, record)
        assert (first, last) == ({"said": "a"}, {"said": "b"})
        (outcome,) = execute["outcomes"]
        assert outcome["status"] == "infra_error"
        assert "at most 1000 are kept" in outcome["error"]["message"]
        assert (validate["valid"], validate["reason"]) == (False, "infra_error")
        assert set(verifier.begun.values()) == {1}  # another attempt would be as large

    asyncio.run(go())


def test_one_owner_does_not_lock_the_others_out(kind, monkeypatch):
    monkeypatch.setattr(memory_store, "MAX_OPEN_EACH", 2)
    monkeypatch.setattr(redis_store, "MAX_OPEN_EACH", 2)

    async def go():
        async with kind.store() as store:
            kept = [new_job([item("x")], key=f"{number}") for number in range(2)]
            for job in kept:
                await store.create(job)
            refused = new_job([item("x")])
            with pytest.raises(QueueFull, match="2 jobs of anna"):
                await store.create(refused)
            assert await store.find(refused.id) is None
            assert await store.piece(refused.id, 0) is None
            # A repeated request is no new job.
            again = await store.create(new_job([item("x")], key="1"))
            assert again.id == kept[1].id
            await store.create(new_job([item("x")], owner="bert"))
            await store.end(kept[0].id, JobState.CANCELLED)
            await store.create(new_job([item("x")]))

    asyncio.run(go())


def test_memory_keeps_no_results_above_its_bound_until_there_is_room(monkeypatch):
    monkeypatch.setattr(run, "_FULL_PATIENCE_S", 0.2)

    async def go():
        store = memory_store.MemoryJobStore(result_ttl=60, max_bytes=50_000)
        small, large = new_job([item("x")] * 2), new_job([item("y")] * 2)
        for job in (small, large):
            await store.create(job)
        await store.claim("one", 9)
        await store.save("one", large.id, {0: b"x" * 45_000})
        with pytest.raises(StoreFull, match="EXECUTOR_JOB_MEMORY_BYTES"):
            await store.save("one", small.id, {0: b"x" * 6000})
        assert await store.answered(small.id) == set()
        await store.end(large.id, JobState.CANCELLED)
        assert await store.save("one", small.id, {0: b"x" * 6000}) == Standing(JobState.RUNNING, 1)

    asyncio.run(go())
