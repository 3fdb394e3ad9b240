"""A service that is killed leaves no sandbox behind: none at all, or none after the next start."""

import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import docker
import pytest

from contract.live import LiveService, main_process, request, until
from executor_service.sandbox.docker import LABEL
from executor_service.sandbox.owner import OWNER_LABEL, owner_alive, owner_name
from executor_service.settings import Settings

# A service of its own process, which names its sandboxes and then sits in a run.
SERVICE = textwrap.dedent(
    """
    import sys
    sys.path.insert(0, sys.argv[2])
    from contract.live import LiveService, main_process, request
    from executor_service.settings import Settings
    live = LiveService(Settings.model_validate_json(sys.argv[1]))
    print(*[main_process(sandbox) for sandbox in live.sandboxes()], flush=True)
    live.run(request("import time\\ndef f(): time.sleep(60)", wall_seconds=100.0))
    """
)


@pytest.fixture
def other_service(settings_for: Callable[..., Settings]) -> Iterator[tuple[Any, list[int]]]:
    """A service in another process, and the pids that its sandboxes die with."""
    command = [sys.executable, "-c", SERVICE, settings_for().model_dump_json()]
    command.append(str(Path(__file__).parents[1]))
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            mains = [int(word) for word in process.stdout.readline().split()]
            assert len(mains) == 2
            yield process, mains
        finally:
            process.kill()


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def test_no_sandbox_outlives_a_killed_service(other_service: tuple[Any, list[int]]) -> None:
    process, mains = other_service
    assert all(map(alive, mains))
    process.send_signal(signal.SIGKILL)
    until(lambda: not any(map(alive, mains)), "the sandboxes to end", 10)


@pytest.mark.docker
@pytest.mark.parametrize("backend", ["docker"], indirect=True)
def test_a_start_removes_the_containers_of_dead_services_alone(
    service: LiveService, start_service: Callable[..., LiveService]
) -> None:
    client = docker.from_env()
    gone = subprocess.Popen([sys.executable, "-c", "pass"])
    host, _, ticks = owner_name().partition(":")
    dead_owner = f"{host}:{gone.pid}:{ticks.rpartition(':')[2]}"
    assert gone.wait(20) == 0
    make = {"image": service.settings.docker_image, "entrypoint": ["sleep"], "command": ["60"]}
    left = client.containers.create(**make, labels={LABEL: "1", OWNER_LABEL: dead_owner})
    foreign = client.containers.create(**make, labels={LABEL: "1", OWNER_LABEL: "elsewhere:1:1"})
    unlabelled = client.containers.create(**make)
    try:
        start_service(slots=1)
        ids = {container.id for container in client.containers.list(all=True, ignore_removed=True)}
        assert left.id not in ids
        assert {foreign.id, unlabelled.id} <= ids
        assert {sandbox.launched._container.id for sandbox in service.sandboxes()} <= ids
    finally:
        foreign.remove(force=True)
        unlabelled.remove(force=True)
        client.close()
    assert service.run(request("def f(): return 1")).status == "ok"


def test_an_owner_is_alive_while_its_very_process_is() -> None:
    host, pid, ticks = owner_name().split(":")
    assert pid == str(os.getpid())
    assert owner_alive(owner_name())
    assert not owner_alive(f"{host}:{pid}:{int(ticks) + 1}"), "the pid was used again"
    assert not owner_alive(f"{host}:4194304:{ticks}")
    assert not owner_alive(f"{host}:x:{ticks}")
    assert not owner_alive("")
    assert owner_alive("elsewhere:1:1"), "another host's process cannot be looked up"


def test_every_sandbox_dies_with_its_main_process(service: LiveService) -> None:
    assert all(alive(main_process(sandbox)) for sandbox in service.sandboxes())
