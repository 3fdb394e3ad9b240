"""Thousands of mixed operations, attacks among them: all verdicts right, nothing left or grown.

``AZR_SOAK_OPERATIONS`` says how many go through the stack of containers (default 5,000).
"""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from chaos.stack import running_stack as running_processes
from e2e.compose import ComposeStack
from e2e.conftest import RunningStack
from e2e.soak import WARM_SHARE, Soaked, descendants, soak
from e2e.soak_mix import Item, soak_items
from e2e.soak_watch import BOUNDS, DESCRIPTORS, MEMORY, MIB, Series, Watch
from redis_server import need_redis

OPERATIONS = int(os.environ.get("AZR_SOAK_OPERATIONS", "5000"))
THROUGH_PROCESSES = min(OPERATIONS, 3_000)
SLOWEST = 50
"""Operations a second with which a long soak may take longer than other tests."""
WORKERS = 2
FEW_SECONDS = 20.0
INTERVAL = 0.2
"""Seconds between samples: a short soak has to have enough of them."""
LEAK = """
import sys, time
kept = []
for _ in range(int(sys.argv[1])):
    kept.append((bytearray(b"x" * (1 << 20)), open("/dev/null")))
    time.sleep(0.02)
time.sleep(30)
"""


def until(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + FEW_SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.1)


def check(found: Soaked, watch: Watch, operations: int) -> None:
    print(found.summary(), *watch.rows(), sep="\n")
    assert found.complaints == []
    assert found.infra_errors == 0
    assert found.operations == operations
    assert watch.complaints() == []


@pytest.fixture
def started() -> Iterator[list["subprocess.Popen[bytes]"]]:
    found: list[subprocess.Popen[bytes]] = []
    yield found
    for process in found:
        process.kill()
        process.wait()


@pytest.mark.parametrize(
    ("born", "lived", "watched", "counts"),
    [(5, 10, 300, False), (5, 60, 300, True), (-1, 20, 20, True), (-1, 5, 20, False)],
)
def test_a_sandboxs_process_counts_once_it_has_settled(
    born: int, lived: int, watched: int, *, counts: bool
) -> None:
    watch = Watch({}, interval=1)
    watch.warm_at = 0.0
    growing = Series("process 7", MEMORY, 8 * MIB)
    for second in range(born, born + lived):
        growing.add(float(second), (second - born) * 2 * MIB)
    steady = Series("process 8", MEMORY, 8 * MIB)
    for second in range(watched):
        steady.add(float(second), MIB)
    watch.single = {(7, MEMORY): growing, (8, MEMORY): steady}
    assert bool(watch.complaints()) is counts


@pytest.mark.parametrize(("megabytes", "grows"), [(60, True), (0, False)])
def test_a_process_that_grows_is_found_out(
    started: list["subprocess.Popen[bytes]"], megabytes: int, *, grows: bool
) -> None:
    process = subprocess.Popen([sys.executable, "-c", LEAK, str(megabytes)])
    started.append(process)
    watch = Watch({"it": lambda: [process.pid]}, interval=0.05)
    watch.start()
    time.sleep(0.3)
    watch.warm()
    time.sleep(1.2)
    watch.stop()
    said = " ".join(watch.complaints())
    assert ("it: memory" in said, "it: descriptors" in said) == (grows, grows)


def test_a_trend_is_neither_a_peak_nor_a_step_that_ends() -> None:
    series = Series("it", MEMORY, BOUNDS[MEMORY])
    for second in range(60):
        peak = 500 * MIB if second % 10 == 9 else 0
        series.add(second, 100 * MIB + peak)
    assert not series.has_grown(0)
    rising = Series("it", DESCRIPTORS, BOUNDS[DESCRIPTORS])
    for second in range(60):
        rising.add(second, 20 + second // 2)
    assert rising.has_grown(0)
    assert rising.growth(0) == pytest.approx(29.5, abs=2)


def test_too_short_a_soak_says_nothing() -> None:
    watch = Watch({"it": lambda: [os.getpid()]}, interval=0.05)
    watch.start()
    with pytest.raises(RuntimeError, match="too few samples"):
        watch.stop()


def test_the_same_seed_makes_the_same_operations_of_every_kind() -> None:
    first, second = (list(soak_items(7, 20_000)) for _ in range(2))
    assert [item.operation for item in first] == [item.operation for item in second]
    wanted = {status for item in first for status in item.statuses}
    assert wanted >= {
        "correct", "wrong", "valid", "ok", "invalid_answer", "nondeterministic", "timeout",
        "memory_limit", "output_limit", "process_limit", "security_violation", "runtime_error",
        "unsupported_value", "invalid_program", "refused 422",
    }  # fmt: skip
    costly = sum("security_violation" in item.statuses for item in first)
    assert 0 < costly < 0.004 * len(first)


@pytest.mark.parametrize(
    ("result", "words"),
    [
        ({"status": "correct", "score": 1.0}, None),
        ({"status": "wrong", "score": 0.0}, "status wrong"),
        ({"status": "infra_error", "score": None}, "status infra_error"),
        ({"status": "correct", "score": 0.0}, "with score 0.0"),
        ({"error": {"status": 422}}, "status refused 422"),
    ],
)
def test_every_result_is_held_against_what_must_come(
    result: dict[str, object], words: str | None
) -> None:
    said = Item("it", {"op": "verify"}, frozenset({"correct"})).complaint(result)
    assert said is None if words is None else words in str(said)


@pytest.mark.redis
def test_a_soak_through_processes_leaves_nothing(tmp_path: Path) -> None:
    need_redis()
    with running_processes(tmp_path, workers=WORKERS, EXECUTOR_SLOTS="1") as stack:
        pids = {name: process.pid for name, process in stack.processes.items()}
        workers = [pid for name, pid in pids.items() if name.startswith("worker")]
        parts = {name: (lambda pid=pid: [pid]) for name, pid in pids.items()}
        in_sandboxes = descendants(*workers)
        watch = Watch(parts, in_sandboxes, interval=INTERVAL)
        watch.start()
        url = str(stack.http.base_url)
        found = soak(url, THROUGH_PROCESSES, on_share=(WARM_SHARE, watch.warm))
        watch.stop()
        check(found, watch, THROUGH_PROCESSES)
        until(lambda: not stack.busy(), "the workers to have nothing in hand")
        last = in_sandboxes()
        assert last
    until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in last), "all of it to end")


@pytest.mark.docker
@pytest.mark.timeout(300 + OPERATIONS // SLOWEST)
def test_a_soak_through_the_stack_leaves_nothing(running_stack: RunningStack) -> None:
    with running_stack(WORKERS) as stack:
        sandboxes = len(stack.sandboxes())
        assert sandboxes == sum(worker["slots"] for worker in stack.warm_workers().values())
        parts = {name: container_processes(stack, name) for name in ("redis", "api", "worker")}
        watch = Watch(parts, sandbox_processes(stack), interval=3 * INTERVAL)
        watch.start()
        key = {"authorization": str(stack.http.headers["authorization"])}
        url = str(stack.http.base_url)
        found = soak(url, OPERATIONS, headers=key, on_share=(WARM_SHARE, watch.warm))
        watch.stop()
        check(found, watch, OPERATIONS)
        until(lambda: len(stack.sandboxes()) == sandboxes, "replaced sandboxes to be removed")
        assert {one.status for one in stack.sandboxes()} == {"running"}
        workers = {one.id for one in stack.containers("worker")}
    assert stack.containers() == []
    assert [one for worker in workers for one in stack.sandboxes(worker)] == []


def container_processes(stack: ComposeStack, service: str) -> Callable[[], list[int]]:
    """The processes of a service's containers, which neither restart nor change in a soak."""
    roots = [int(one.attrs["State"]["Pid"]) for one in stack.containers(service)]
    assert all(roots)
    return lambda: [*roots, *descendants(*roots)()]


def sandbox_processes(stack: ComposeStack) -> Callable[[], list[int]]:
    """All processes in sandboxes; which containers those are is asked every few seconds."""
    roots: list[int] = []
    asked = 0.0

    def pids() -> list[int]:
        nonlocal asked
        if time.monotonic() - asked > 5:
            asked = time.monotonic()
            roots[:] = [int(one.attrs["State"]["Pid"]) for one in stack.sandboxes()]
        return [*roots, *descendants(*roots)()]

    return pids
