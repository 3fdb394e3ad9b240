"""A whole stack on this machine, for measuring: Redis, one API process and workers.

The processes are those that an operator starts, with the settings of this process and a Redis of
their own, which writes its log file as the shipped stack's does. ``embedded`` starts the service
without a queue in the same way, so that the two differ in the queue alone.
"""

import asyncio
import contextlib
import json
import os
import shutil
import subprocess  # nosec - our own commands
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import docker
import docker.errors
import redis

from executor_service.bench.http_load import Connection, free_port, request_bytes
from executor_service.bench.processor_time import own_seconds, process_times, seconds_below
from executor_service.errors import ConfigurationError
from executor_service.sandbox.docker import LABEL
from executor_service.sandbox.owner import OWNER_LABEL
from executor_service.settings import Settings

_START_S: Final = 90.0
_STOP_S: Final = 30.0
_COMMAND: Final = (sys.executable, "-c", "from executor_service.cli.main import app; app()")
_PASSED_ON: Final = ("docker_image", "python", "docker_runtime", "cache_bytes", "chunk_size")
"""Settings that the caller may have changed; the rest comes from the environment."""


def why_no_redis() -> str:
    """Return why no stack can be started here; empty where one can."""
    return "" if shutil.which("redis-server") else "there is no redis-server"


@dataclass
class Stack:
    """Running processes of one service, by what they are."""

    port: int
    api: int
    """The process that speaks HTTP; it has the sandboxes too where there is no queue."""
    redis_pid: int | None = None
    workers: list[int] = field(default_factory=list)
    redis_client: "redis.Redis | None" = None
    backend: str = "bubblewrap"

    @property
    def holders(self) -> list[int]:
        """Return the processes that hold sandboxes."""
        return self.workers or [self.api]

    def cpu_seconds(self) -> dict[str, float]:
        """Return the processor time that each part has used so far."""
        times = process_times()
        found = {"API": own_seconds(times, [self.api])}
        if self.redis_pid is not None:
            found["Redis"] = own_seconds(times, [self.redis_pid])
            found["workers"] = own_seconds(times, self.workers)
        if self.backend == "docker":
            roots = self.containers()
            found["sandboxes"] = seconds_below(times, roots) + own_seconds(times, roots)
        else:
            found["sandboxes"] = seconds_below(times, self.holders)
        return found

    def containers(self) -> list[int]:
        """Return the first process of each sandbox container of this stack."""
        owners = tuple(f":{pid}:" for pid in self.holders)
        with contextlib.closing(docker.from_env()) as client:
            found = client.containers.list(filters={"label": LABEL}, ignore_removed=True)
            return [
                int(one.attrs["State"]["Pid"])
                for one in found
                if any(owner in one.labels.get(OWNER_LABEL, "") for owner in owners)
            ]

    async def get(self, path: str) -> tuple[int, bytes]:
        """Return the status and the body of a GET."""
        connection = await Connection.open(self.port)
        try:
            return await connection.send(request_bytes("GET", path))
        finally:
            connection.close()


class _Processes:
    """Starts processes that log into one folder, and ends them."""

    def __init__(self, settings: Settings, folder: Path) -> None:
        self._folder = folder
        self._running: list[subprocess.Popen[bytes]] = []
        self._environment = os.environ | {
            f"EXECUTOR_{name.upper()}": str(value)
            for name in _PASSED_ON
            if (value := getattr(settings, name, None)) is not None
        }
        self._environment |= {
            "EXECUTOR_LOG_LEVEL": "warning", "EXECUTOR_KEYS": "", "EXECUTOR_KEYS_FILE": "",
            "EXECUTOR_RATE_LIMIT": "0", "EXECUTOR_HOST": "127.0.0.1",
            # What a sandbox used cannot be told any more when it is replaced.
            "EXECUTOR_RUNS_PER_SANDBOX": str(10**9),
        }  # fmt: skip

    def start(self, *command: str, **environment: str) -> int:
        """Start a process; return its id."""
        log = self._folder / f"{len(self._running)}.log"
        with log.open("wb") as file:
            process = subprocess.Popen(  # noqa: S603
                command,
                env=self._environment | environment,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
                cwd=self._folder,
            )
        self._running.append(process)
        return process.pid

    def check(self) -> None:
        """Raise a ConfigurationError with its last words if a process has ended."""
        for number, process in enumerate(self._running):
            if process.poll() is not None:
                words = (self._folder / f"{number}.log").read_text(errors="replace")[-1000:]
                raise ConfigurationError(f"a process of the stack ended: {words}")

    async def end(self) -> None:
        """End all of them: what was started last first, and Redis when nobody needs it."""
        for process in reversed(self._running[1:]):
            process.terminate()
        for process in reversed(self._running):
            process.terminate()
            try:
                await asyncio.to_thread(process.wait, _STOP_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@contextlib.asynccontextmanager
async def _processes(settings: Settings) -> AsyncIterator[_Processes]:
    with tempfile.TemporaryDirectory(prefix="azr-bench-") as folder:
        processes = _Processes(settings, Path(folder))
        try:
            yield processes
        finally:
            await processes.end()


@contextlib.asynccontextmanager
async def embedded(settings: Settings, *, slots: int, backend: str) -> AsyncIterator[Stack]:
    """Start ``azr-executor serve`` with sandboxes of its own.

    Raises:
        ConfigurationError: It does not become ready; the message has its last words.
    """
    async with _processes(settings) as processes:
        port = free_port()
        api = processes.start(
            *_COMMAND, "serve", "--port", str(port), EXECUTOR_SLOTS=str(slots),
            EXECUTOR_BACKEND=backend,
        )  # fmt: skip
        stack = Stack(port, api, backend=backend)
        await _until(processes, lambda: _ready(stack))
        yield stack


@contextlib.asynccontextmanager
async def queued(
    settings: Settings, *, workers: int, slots: int, backend: str
) -> AsyncIterator[Stack]:
    """Start Redis, one API process and ``workers`` worker processes of ``slots`` each.

    Raises:
        ConfigurationError: They do not become ready; the message has the last words of one.
    """
    async with _processes(settings) as processes:
        port, redis_port = free_port(), free_port()
        redis_pid = processes.start(
            "redis-server", "--port", str(redis_port), "--bind", "127.0.0.1", "--save", "",
            "--appendonly", "yes", "--appendfsync", "everysec",
        )  # fmt: skip
        client = redis.Redis(port=redis_port)
        environment = {
            "EXECUTOR_REDIS_URL": f"redis://127.0.0.1:{redis_port}/0",
            "EXECUTOR_SLOTS": str(slots),
            "EXECUTOR_BACKEND": backend,
        }
        with contextlib.closing(client):
            await _until(processes, lambda: _pings(client))
            api = processes.start(*_COMMAND, "serve", "--port", str(port), **environment)
            pids = [processes.start(*_COMMAND, "worker", **environment) for _ in range(workers)]
            stack = Stack(port, api, redis_pid, pids, client, backend)
            await _until(processes, lambda: _warm(stack, workers, slots))
            yield stack


async def _until(processes: _Processes, condition: Callable[[], Any]) -> None:
    deadline = time.monotonic() + _START_S
    while not await condition():
        processes.check()
        if time.monotonic() > deadline:
            raise ConfigurationError(f"a stack was not ready after {_START_S:g} s")
        await asyncio.sleep(0.05)


async def _pings(client: "redis.Redis") -> bool:
    with contextlib.suppress(redis.RedisError):
        return bool(client.ping())
    return False


async def _ready(stack: Stack) -> bool:
    with contextlib.suppress(OSError, asyncio.IncompleteReadError):
        status, _ = await stack.get("/readyz")
        return status == 200
    return False


async def _warm(stack: Stack, workers: int, slots: int) -> bool:
    """Tell whether the API knows of all workers, each with all its sandboxes running."""
    if not await _ready(stack):
        return False
    _, body = await stack.get("/v1/info")
    known = json.loads(body)["workers"].values()
    return len(known) == workers and all(worker["warm"] == slots for worker in known)
