"""Jobs that are carried out: complete, in order, bounded, patient, cancelled at once."""

import asyncio
import logging
from dataclasses import replace

import pytest

from executor_service import logs
from executor_service.dispatch.embedded import EmbeddedDispatcher
from executor_service.dispatch.submission import Submission
from executor_service.errors import InfrastructureError, QueueFull
from executor_service.jobs import run
from executor_service.jobs.record import JobState
from executor_service.jobs.run import WINDOW
from executor_service.jobs.runner import JobRunner
from executor_service.operations import parse_operation
from jobs.world import Echo, ended, item, new_job, results_of, running, until


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch):
    monkeypatch.setattr(run, "RETRY_PAUSE_S", 0.02)
    monkeypatch.setattr(run, "_LONGEST_PAUSE_S", 0.1)


def test_every_item_is_answered_once_and_in_its_place(kind):
    async def go():
        verifier = Echo()
        async with kind.running(verifier) as runner:
            job = await runner.add(new_job([item(str(number)) for number in range(1000)]))
            record = await ended(runner.store, job.id)
            assert (record.state, record.done) == ("finished", 1000)
            results = await results_of(runner.store, record)
            assert results == [{"said": str(number)} for number in range(1000)]
            assert set(verifier.begun.values()) == {1}
            await until(lambda: runner.active == 0)
            assert runner.out == 0

    asyncio.run(go())


def test_bad_items_are_answered_in_their_place(kind):
    async def go():
        async with kind.running(Echo()) as runner:
            items = [item("a"), 3, {"op": "launch"}, item("unacceptable"), {**item("x"), "z": 1}]
            job = await runner.add(new_job(items * 30 + [item("b")]))
            record = await ended(runner.store, job.id)
            *_, results = (await results_of(runner.store, record),)
            assert results[-1] == {"said": "b"}
            for start in range(0, 150, 5):
                assert results[start] == {"said": "a"}
                problems = [result["error"] for result in results[start + 1 : start + 5]]
                assert [problem["status"] for problem in problems] == [422] * 4
                assert [problem.get("field") for problem in problems] == [
                    None,
                    "op",
                    "program",
                    "z",
                ]

    asyncio.run(go())


def test_a_job_of_bad_items_alone_finishes(kind):
    async def go():
        async with kind.running(Echo()) as runner:
            job = await runner.add(new_job([3] * 100))
            record = await ended(runner.store, job.id)
            assert (record.state, record.done) == ("finished", 100)

    asyncio.run(go())


def test_trouble_that_passes_is_never_seen_and_trouble_that_stays_is_infra_error(kind):
    async def go():
        verifier = Echo()
        async with kind.running(verifier) as runner:
            texts = ["fine", "trouble twice", "trouble", "defect"]
            job = await runner.add(new_job([item(text) for text in texts]))
            record = await ended(runner.store, job.id)
            fine, passing, staying, defect = await results_of(runner.store, record)
        assert fine == {"said": "fine"}
        assert passing == {"said": "trouble twice"}
        for result in (staying, defect):
            (outcome,) = result["outcomes"]
            assert (outcome["status"], outcome["retryable"]) == ("infra_error", True)
        assert dict(verifier.begun) == {
            "fine": 1, "trouble twice": 3, "trouble": run.ATTEMPTS, "defect": run.ATTEMPTS,
        }  # fmt: skip

    asyncio.run(go())


def test_no_more_of_a_job_is_out_than_its_window(kind):
    async def go():
        verifier = Echo(0.001)
        async with kind.store() as store:
            dispatcher = EmbeddedDispatcher(verifier, concurrency=50, queue_size=16_384)
            runner = JobRunner(store, dispatcher, room=4096)
            most = 0
            await runner.start()
            job = await runner.add(new_job([item("x")] * 2000))
            while not (await store.find(job.id)).state.ended:
                most = max(most, dispatcher.queued(), runner.out)
                await asyncio.sleep(0.001)
            await runner.close()
            await dispatcher.close()
            assert 50 < most <= WINDOW

    asyncio.run(go())


def test_many_jobs_share_the_room_and_a_single_call_does_not_wait_for_them(kind):
    async def go():
        verifier = Echo(0.002)
        async with kind.store() as store:
            dispatcher = EmbeddedDispatcher(verifier, concurrency=2, queue_size=16_384)
            runner = JobRunner(store, dispatcher, room=128)
            await runner.start()
            jobs = [
                await runner.add(new_job([item(f"{owner}")] * 600, owner=owner))
                for owner in ("many", "many", "many", "few")
            ]
            await until(lambda: runner.out == 128)
            assert dispatcher.queued() <= 128
            begun = len(verifier.order)
            single = Submission([parse_operation("execute", {"program": "me", "inputs": ["1"]})])
            assert [result async for _, result in dispatcher.submit(single)] == [{"said": "me"}]
            assert len(verifier.order) - begun < 30
            record = await ended(store, jobs[3].id)
            assert record.state == "finished"
            # The one job of "few" got as much as the three of "many" together.
            assert verifier.begun["many"] < 600 + 2 * 128
            await runner.close()
            await dispatcher.close()

    asyncio.run(go())


def test_a_full_or_unreachable_dispatcher_is_waited_for(kind):
    class Moody(EmbeddedDispatcher):
        refusals = 0

        async def submit(self, submission):
            self.refusals += 1
            if self.refusals % 3 == 1:
                raise QueueFull("full", retry_after=0.01)
            if self.refusals % 3 == 2:
                raise InfrastructureError("away")
            async for found in super().submit(submission):
                yield found

    async def go():
        verifier = Echo()
        async with kind.store() as store:
            dispatcher = Moody(verifier, concurrency=8, queue_size=1024)
            runner = JobRunner(store, dispatcher, room=4096)
            await runner.start()
            job = await runner.add(new_job([item(str(number)) for number in range(200)]))
            record = await ended(store, job.id)
            assert record.state == "finished"
            assert set(verifier.begun.values()) == {1}
            assert dispatcher.refusals >= 9
            await runner.close()
            await dispatcher.close()

    asyncio.run(go())


def test_cancelling_ends_what_runs_and_begins_nothing_more(kind):
    async def go():
        verifier = Echo(0.005)
        async with kind.running(verifier, concurrency=2) as runner:
            job = await runner.add(new_job([item("x")] * 2000))
            await until(lambda: _done(runner.store, job.id, 20))
            record = await runner.store.end(job.id, JobState.CANCELLED)
            assert record.state == "cancelled"
            await until(lambda: runner.active == 0)
            begun = verifier.begun["x"]
            assert runner.out == 0
            stuck = await runner.add(new_job([item("stuck")] * 100))
            await until(lambda: verifier.begun["stuck"] == 2)
            await runner.store.end(stuck.id, JobState.CANCELLED)
            again = await runner.add(new_job([item("next")] * 10))
            assert (await ended(runner.store, again.id)).state == "finished"
            assert verifier.begun["x"] == begun
            assert verifier.begun["stuck"] == 2
            assert await runner.store.find(job.id) == record

    asyncio.run(go())


def test_a_job_whose_items_are_lost_fails_and_says_so(kind):
    async def go():
        async with kind.running(Echo()) as runner:
            store = runner.store
            plain = store.piece

            async def damaged(job_id, number):
                return await plain(job_id, number) if number == 0 else b"rubbish"

            store.piece = damaged
            job = await runner.add(new_job([item("x")] * 200))
            record = await ended(store, job.id)
            assert record.state == "failed"
            assert "lost or damaged" in record.message
            await until(lambda: runner.active == 0)
            assert runner.out == 0

    asyncio.run(go())


def test_a_job_that_breaks_its_run_again_and_again_has_failed(kind, monkeypatch):
    async def go():
        async with kind.running(Echo()) as runner:

            async def broken(job_id):
                raise ZeroDivisionError

            plain, runner.store.answered = runner.store.answered, broken
            monkeypatch.setattr("executor_service.jobs.runner._LOOK_EVERY_S", 0.01)
            monkeypatch.setattr("executor_service.jobs.runner._DEFECT_PAUSE_S", 0.01)
            job = await runner.add(new_job([item("x")]))
            record = await ended(runner.store, job.id)
            assert record.state == "failed"
            assert "internal error" in record.message
            runner.store.answered = plain
            well = await runner.add(new_job([item("x")]))
            assert (await ended(runner.store, well.id)).state == "finished"

    asyncio.run(go())


def test_a_runner_that_closes_saves_what_it_has_and_leaves_the_rest_to_the_next(kind):
    async def go():
        items = [item(str(number)) for number in range(100)] + [item("stuck")] * 10
        async with kind.store() as store:
            first, second = Echo(), Echo()
            async with running(store, first, concurrency=20) as runner:
                job = await runner.add(new_job(items))
                await until(lambda: first.begun["stuck"] == 10 and first.ended == 100)
                await asyncio.sleep(0.02)  # the last results are on their way to the run
            answered = await store.answered(job.id)
            assert len(answered) == 100
            plain = second.carry_out
            second.carry_out = lambda operation: plain(
                operation.model_copy(update={"program": operation.program.replace("stuck", "free")})
            )
            async with running(store, second):
                record = await ended(store, job.id)
            assert record.state == "finished"
            assert dict(second.begun) == {"free": 10}

    asyncio.run(go())


def test_a_runner_goes_on_after_errors_that_nobody_has_foreseen(kind, monkeypatch):
    monkeypatch.setattr("executor_service.jobs.runner._LOOK_EVERY_S", 0.01)
    monkeypatch.setattr("executor_service.jobs.runner._MISHAP_PAUSE_S", 0.01)

    async def go():
        async with kind.running(Echo(0.01), concurrency=1) as runner:
            store = runner.store
            store.lease_seconds = 0.03
            failures = []

            def once(call):
                async def broken(*arguments):
                    if call.__name__ in failures:
                        return await call(*arguments)
                    failures.append(call.__name__)
                    raise ZeroDivisionError

                return broken

            store.claim, store.renew = once(store.claim), once(store.renew)
            await until(lambda: failures == ["claim"])
            job = await runner.add(new_job([item("x")] * 30))
            assert (await ended(store, job.id)).state == "finished"
            assert sorted(failures) == ["claim", "renew"]
            assert not any(task.done() for task in runner._tasks)

    asyncio.run(go())


def test_whatever_is_logged_on_behalf_of_a_job_names_it(kind, caplog):
    caplog.handler.addFilter(logs.ContextFilter())

    async def go():
        async with kind.running(Echo()) as runner:
            jobs = [
                await runner.add(replace(new_job([item("defect")]), request_id=f"request {number}"))
                for number in range(3)
            ]
            for job in jobs:
                await ended(runner.store, job.id)
        return {(job.id, job.request_id, "anna") for job in jobs}

    with caplog.at_level(logging.WARNING):
        expected = asyncio.run(go())
    # Those of the dispatcher, whose tasks serve one job after the other, and those of the run.
    for name in ("executor_service.dispatch.embedded", "executor_service.jobs.run"):
        records = [record for record in caplog.records if record.name == name]
        assert {(r.job_id, r.request_id, r.owner) for r in records} == expected


async def _done(store, job_id, count):
    return (await store.find(job_id)).done >= count
