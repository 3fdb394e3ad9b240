"""What the sandboxes are compared with: a bare fork, a fresh interpreter, a fresh container."""

import asyncio
import contextlib
import time
from collections.abc import Iterator
from importlib import resources
from os import sched_getaffinity, sched_setaffinity
from typing import Any, Final

import docker
import docker.errors

from executor_service.errors import ConfigurationError
from executor_service.sandbox.interpreter import find_interpreter
from executor_service.sandbox.runner.variants import FLAVOURS
from executor_service.service import make_backend
from executor_service.settings import Settings

TRIVIAL: Final = "def f(x):\n    return x + 1\n"
_TRIVIAL_SCRIPT: Final = TRIVIAL + "print(f(1))"
_LONGEST_START: Final = 60.0


class BareFork:
    """``fork`` + exit + wait in the same sandbox, with the same interpreter and flags."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._loop = resources.files("executor_service.bench").joinpath("fork_loop.py").read_text()

    async def measure(self, seconds: float, *, warm: bool) -> float:
        """Return forks a second; with ``warm`` the modules of a zygote are imported before."""
        modules = FLAVOURS[0].modules if warm else ()
        # The flags are those of the zygotes, which fork for the runs.
        flags = ("-I", "-S", "-P", "-B", "-X", "no_debug_ranges")
        arguments = (*flags, "-c", self._loop, str(seconds), *modules)
        launched = await make_backend(self._settings, arguments).launch()
        try:
            async with asyncio.timeout(_LONGEST_START + seconds):
                answer = await launched.stream.greet({})
        finally:
            await launched.kill()
        return float(answer["forks"] / answer["seconds"])


async def fresh_python(settings: Settings, seconds: float) -> float:
    """Return how many fresh ``python -I`` a second run a trivial program, one after another.

    Without any sandbox, which favours it.
    """
    executable = str(find_interpreter(settings.python).executable)
    done = 0
    started = time.perf_counter()
    while time.perf_counter() - started < seconds:
        process = await asyncio.create_subprocess_exec(
            executable,
            "-I",
            "-c",
            _TRIVIAL_SCRIPT,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
        )
        output, _ = await process.communicate()
        if output.strip() != b"2":
            raise ConfigurationError(f"{executable} -I does not run a trivial program")
        done += 1
    return done / (time.perf_counter() - started)


class DockerRun:
    """``docker run`` of a trivial program; ``why_not`` says why it cannot be measured here."""

    def __init__(self, settings: Settings) -> None:
        self._image = settings.docker_image
        self.why_not = ""
        self._client: Any = None
        try:
            self._client = docker.from_env(timeout=60)
            self._client.images.get(self._image)
        except docker.errors.ImageNotFound:
            self.why_not = f"image {self._image} is missing"
        except docker.errors.DockerException as error:
            self.why_not = f"no Docker daemon answers: {str(error)[:80]}"

    async def measure(self, times: int) -> float:
        """Return containers a second."""
        started = time.perf_counter()
        for _ in range(times):
            await asyncio.to_thread(self._once)
        return times / (time.perf_counter() - started)

    def _once(self) -> None:
        output = self._client.containers.run(
            self._image,
            ["-I", "-c", _TRIVIAL_SCRIPT],
            entrypoint=["python3"],
            network_mode="none",
            remove=True,
        )
        if output.strip() != b"2":
            raise ConfigurationError("docker run does not run a trivial program")


@contextlib.contextmanager
def one_core() -> Iterator[None]:
    """Keep this thread, and the processes it starts meanwhile, on one processor."""
    before = sched_getaffinity(0)
    sched_setaffinity(0, {max(before)})
    try:
        yield
    finally:
        sched_setaffinity(0, before)
