"""A duty: no defect ends it, and it says so while it fails."""

import asyncio
import logging

from executor_service.queue import duty as module
from executor_service.queue.duty import Duty
from executor_service.queue.tasks import end_tasks


def test_defects_are_survived_logged_once_per_kind_and_said(monkeypatch, caplog):
    monkeypatch.setattr(module, "_PAUSE_S", 0.0)
    said = []
    failures = [ZeroDivisionError()] * 3 + [None] + [ValueError()] + [None]

    async def go():
        done = asyncio.Event()

        async def step():
            said.append(made.trouble())
            if not failures:
                done.set()
                await asyncio.sleep(60)
            if (failure := failures.pop(0)) is not None:
                raise failure

        made = Duty("counting", step)
        task = made.start()
        async with asyncio.timeout(5):
            await done.wait()
        await end_tasks([task])
        return made.trouble()

    with caplog.at_level(logging.ERROR):
        ended = asyncio.run(go())
    failing = "counting fails (ZeroDivisionError); see the service's log"
    assert said[:5] == [None, failing, failing, failing, None]
    assert said[-1] is None
    assert len(caplog.records) == 2
    assert ended == "counting has ended; the service must be restarted"
