"""A worker whose sandboxes cannot start, beside one that is well: the other one does the work."""

import os
import shutil
import signal
import tempfile
from pathlib import Path

import pytest

from chaos.docker_daemon import DockerDaemon
from chaos.stack import PATIENCE, QUICK, Stack, slows, verdicts
from runner_image import IMAGE, need_docker
from telemetry.scrape import scrape

pytestmark = pytest.mark.redis


class WithoutBubblewrap:
    """A worker that has a ``bwrap`` of its own, which can be replaced by one that only fails."""

    def __init__(self) -> None:
        # Not in pytest's folders: sandboxes are started by a user who may not look into them.
        self.folder = Path(tempfile.mkdtemp(prefix="bwrap-"))
        self.folder.chmod(0o755)
        self.environment = {"PATH": f"{self.folder}:/usr/bin:/bin"}
        self._real = shutil.which("bwrap")
        assert self._real is not None
        self.heal()

    def hurt(self, worker: int) -> None:
        """Kill the sandboxes of a worker, given its pid, and have no other one start."""
        self._have("/bin/false")
        for task in Path(f"/proc/{worker}/task").iterdir():
            for child in (task / "children").read_text().split():
                if Path(f"/proc/{child}/comm").read_text() == "bwrap\n":
                    os.kill(int(child), signal.SIGKILL)

    def heal(self) -> None:
        """Let sandboxes start again."""
        self._have(self._real)

    def close(self) -> None:
        """Leave nothing behind."""
        shutil.rmtree(self.folder)

    def _have(self, program: str) -> None:
        link = self.folder / "bwrap"
        link.unlink(missing_ok=True)
        link.symlink_to(program)


class WithoutDocker:
    """A worker that has a Docker daemon of its own, which can be stopped."""

    def __init__(self, folder: Path) -> None:
        need_docker()
        if shutil.which("dockerd") is None:
            pytest.skip("no dockerd here to start a second daemon with")
        self._daemon = DockerDaemon(folder)
        self.environment = {
            "EXECUTOR_BACKEND": "docker",
            "EXECUTOR_DOCKER_IMAGE": IMAGE,
            "DOCKER_HOST": self._daemon.url,
        }
        self._daemon.start()
        self._daemon.load(IMAGE)

    def hurt(self, worker: int) -> None:
        """Stop the daemon, which takes its containers with it."""
        self._daemon.stop()

    def heal(self) -> None:
        """Start it again."""
        self._daemon.start()

    def close(self) -> None:
        """Leave nothing behind."""
        self._daemon.close()


@pytest.fixture(params=["bubblewrap", pytest.param("docker", marks=pytest.mark.docker)])
def trouble(request, tmp_path_factory):
    if request.param == "docker":
        made = WithoutDocker(tmp_path_factory.mktemp("dockerd"))
    else:
        made = WithoutBubblewrap()
    try:
        yield made
    finally:
        made.close()


@pytest.fixture
def stack(tmp_path):
    """A stack whose worker is well."""
    made = Stack(tmp_path)
    try:
        made.start_redis()
        made.start_api()
        made.start_worker("well")
        made.ready()
        yield made
    finally:
        made.close()


def statuses(results):
    return [result["status"] for result in results]


def of(stack, process):
    """Return what the worker of a process says of itself, nothing if it is not heard of."""
    pid = stack.processes[process].pid
    return next((said for name, said in stack.workers().items() if f"-{pid}-" in name), {})


def shown(stack, process):
    """Return its (sandboxes wanted, sandboxes there, whether starts fail) in the API's metrics."""
    metrics, name = scrape(stack.http), of(stack, process)["name"]
    failures = metrics("sandbox_start_failures_total", worker=name)
    return metrics("slots", worker=name), metrics("slots_warm", worker=name), failures > 0


def test_a_worker_that_loses_its_sandboxes_leaves_the_work_to_one_that_is_well(stack, trouble):
    stack.start_worker("sick", **trouble.environment)
    stack.until(lambda: of(stack, "sick").get("warm") == 2, "the second worker")
    answer = stack.later(lambda: stack.batch(slows(200, 0.3)))
    stack.until(lambda: all(of(stack, one)["in_hand"] for one in ("well", "sick")), "both at work")
    trouble.hurt(stack.processes["sick"].pid)
    stack.until(lambda: of(stack, "sick")["warm"] == 0, "the worker to see it")
    assert statuses(answer.result()) == verdicts(200)
    assert "is handed back: no sandbox is running" in (stack.folder / "sick.log").read_text()

    # The stack is ready, and says which of its workers is not.
    assert stack.http.get("/readyz").status_code == 200
    stack.until(lambda: shown(stack, "sick") == (2, 0, True), "the metrics to say so")
    assert shown(stack, "well") == (2, 2, False)
    warm = {name: w["warm"] for name, w in stack.http.get("/v1/info").json()["workers"].items()}
    assert warm == {of(stack, "well")["name"]: 2, of(stack, "sick")["name"]: 0}
    before = of(stack, "sick")["chunks"]
    for _ in range(5):
        assert statuses(stack.batch(slows(40, 0.01))) == verdicts(40)
    assert of(stack, "sick")["chunks"] == before
    assert scrape(stack.http)("operations_given_up_total") == 0

    # With the sick one alone it is not, and with the sick one well again it is.
    stack.kill("well")
    stack.unready()
    stack.until(lambda: len(stack.workers()) == 1, "the dead worker to be forgotten")
    stack.until(lambda: "no worker has" in stack.http.get("/readyz").json()["detail"], "the reason")
    waiting = stack.later(lambda: stack.batch([QUICK] * 5))
    trouble.heal()
    stack.ready()
    assert statuses(waiting.result()) == ["correct"] * 5
    stack.until(lambda: shown(stack, "sick")[1] == 2, "the metrics to say that it is well again")


def test_a_worker_that_never_has_a_sandbox_ends_and_is_never_counted(stack, trouble):
    trouble.hurt(os.getpid())
    stack.start_worker("sick", **trouble.environment)
    answer = stack.later(lambda: stack.batch(slows(60, 0.05)))
    assert stack.processes["sick"].wait(PATIENCE) != 0
    assert statuses(answer.result()) == verdicts(60)
    assert list(stack.workers()) == [of(stack, "well")["name"]]
    assert stack.http.get("/readyz").status_code == 200
    assert scrape(stack.http)("workers_alive") == 1
    words = (stack.folder / "sick.log").read_text()
    assert words.startswith("azr-executor: ")  # why, in a line
    assert words.count("\n") == 1
    trouble.heal()
