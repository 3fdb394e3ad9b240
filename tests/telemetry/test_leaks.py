"""Sandboxes that should not be there are seen, and those that should are not mistaken for them."""

import asyncio
import os
import signal
import time

import pytest

from contract.live import host_children, main_process, until
from executor_service.sandbox.runs import RunRequest
from executor_service.service import make_backend
from executor_service.settings import Settings
from executor_service.telemetry.leaks import LeakWatch
from telemetry.scrape import Scrape


@pytest.fixture
def live(service):
    service.settle()
    return service


def watch(live, grace):
    return LeakWatch(live.service.backend, live.pool, grace=grace, look_again=0)


def look(live, watching):
    live.wait(watching.refresh())
    return watching.leaked


def shown(live):
    text, _ = live.wait(live.service.metrics.text(""))
    return Scrape(text.decode())


def test_what_the_system_shows_is_what_the_pool_has(live):
    def agree():
        return live.wait(live.service.backend.living()) == live.pool.identities()

    until(agree, "what other tests ended to go")
    assert len(live.pool.identities()) == 2


def test_a_sandbox_that_the_pool_does_not_know_is_leaked_until_it_has_gone(live):
    watching = watch(live, grace=0.2)
    stray = live.wait(live.service.backend.launch())
    assert look(live, watching) == 0  # it may be one that is being started
    time.sleep(0.3)
    assert look(live, watching) == 1
    live.wait(stray.kill())
    until(lambda: look(live, watching) == 0, "the sandbox to go")


def test_a_sandbox_killed_from_outside_is_replaced_and_nothing_of_it_is_left(live):
    watching = watch(live, grace=0)
    victim = live.sandboxes()[0]
    before = shown(live)
    os.kill(main_process(victim), signal.SIGKILL)
    until(victim.launched.stream.closed.done, "the stream to close")
    for _ in range(live.pool.slots):
        assert live.run(RunRequest("def f():\n    return 1", "f")).status == "ok"
    live.settle()
    until(lambda: look(live, watching) == 0, "what is left of the sandbox to go")
    after = shown(live)
    died, starts = ("sandboxes_replaced_total", {"reason": "died"}), ("sandbox_starts_total", {})
    for name, labels in (died, starts):
        assert after(name, **labels) == before(name, **labels) + 1
    assert (after("slots_warm"), after("slots")) == (2, 2)
    assert after("leaked_processes") == 0
    assert victim.launched.identity not in live.wait(live.service.backend.living())


def test_another_services_sandboxes_are_none_of_ours(live, start_service):
    other = start_service()
    assert not live.pool.identities() & other.pool.identities()
    assert live.wait(other.service.backend.living()) == other.pool.identities()
    assert not live.wait(live.service.backend.living()) & other.pool.identities()


def test_a_closed_service_has_nothing_left(start_service):
    live = start_service()
    backend = live.service.backend
    live.close()
    until(lambda: asyncio.run(backend.living()) == set(), "the last sandbox to go")


def test_a_sandbox_that_is_killed_while_it_starts_leaves_nothing(settings_for, backend):
    # bwrap's child waits for bwrap, and only later asks to die with it.
    async def go():
        launcher = make_backend(settings_for())
        for moment in (0, 0, 0, 0, 0.0005, 0.001, 0.002, 0.004):
            sandbox = await launcher.launch()
            await asyncio.sleep(moment)
            await sandbox.kill()
        async with asyncio.timeout(20):
            while await launcher.living():
                await asyncio.sleep(0.02)

    children = descendants()
    asyncio.run(go())
    until(lambda: descendants() <= children, "what was started to end")


def descendants():
    """Return the bwrap processes of this machine that nobody is the parent of, or this process."""
    parents = {1, os.getpid()}
    return {pid for parent in parents for pid in host_children(parent, "bwrap")}


class Stuck:
    """A backend whose daemon does not answer."""

    def __init__(self):
        self.looks = 0

    async def living(self):
        self.looks += 1
        await asyncio.sleep(60)


class Failing:
    """A backend whose daemon has gone."""

    async def living(self):
        raise ConnectionError("no daemon")


def test_a_daemon_that_does_not_answer_is_asked_once_and_holds_nobody_up(monkeypatch, live):
    monkeypatch.setattr("executor_service.telemetry.leaks._PATIENCE_S", 0.05)

    async def go():
        backend = Stuck()
        watching = LeakWatch(backend, live.pool, grace=0, look_again=0)
        async with asyncio.timeout(5):
            for _ in range(3):
                await watching.refresh()
            await watching.close()
        return backend.looks

    assert asyncio.run(go()) == 1


def test_a_daemon_that_has_gone_changes_nothing_but_the_log(live, caplog):
    async def go():
        watching = LeakWatch(Failing(), live.pool, grace=0, look_again=0)
        await watching.refresh()
        return watching.leaked

    assert asyncio.run(go()) == 0
    assert "no daemon" in caplog.text


def test_the_embedded_backend_keeps_no_descriptor_of_what_has_ended():
    async def go():
        launcher = make_backend(Settings(backend="bubblewrap"))
        before = len(os.listdir("/proc/self/fd"))
        for _ in range(3):
            sandbox = await launcher.launch()
            await launcher.living()
            await sandbox.kill()
        async with asyncio.timeout(20):
            # The init of this machine reaps what is left, in its own time.
            while await launcher.living():
                await asyncio.sleep(0.02)
        return len(os.listdir("/proc/self/fd")) - before

    assert asyncio.run(go()) == 0
