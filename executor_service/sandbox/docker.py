"""The Docker backend: one hardened container per sandbox.

Covered: everything that ``container_options`` lists, plus what the runner does inside. The
container's only connection to the outside is its attached stdin and stdout.
Not covered: who may talk to the Docker daemon is root on its host; run the daemon rootless or on a
machine of its own where that matters.
"""

import asyncio
import contextlib
import json
import os
import socket
import uuid
from dataclasses import dataclass
from typing import Any, Final

import docker
import docker.errors
from docker.models.containers import Container
from docker.types import LogConfig, Ulimit

from executor_service.errors import ConfigurationError, SandboxStartError
from executor_service.sandbox.backend import Protection, common_protections
from executor_service.sandbox.owner import Owners
from executor_service.sandbox.runner.scratch import MOST_FILES, SCRATCH, SCRATCH_BYTES
from executor_service.sandbox.seccomp import profile_path
from executor_service.sandbox.stream import SandboxStream

LABEL: Final = "org.azr-executor.sandbox"
BACKEND_LABEL: Final = "org.azr-executor.backend"
_NOBODY: Final = "65534:65534"
_OVERHEAD_MB: Final = 512
"""What supervisor and zygotes (numpy's among them) take, on top of a run's own limit."""


@dataclass(frozen=True)
class DockerOptions:
    """The operator's choices for containers."""

    image: str
    runtime: str | None
    memory_mb: int
    """The largest ``memory_mb`` a run may ask for; the container's limit is above it."""
    cpus: float
    pids: int
    owner: str
    """Marks the containers of one service: a sweep removes those of dead services alone."""
    python_arguments: tuple[str, ...] | None = None
    """What the image's python3 is started with instead of the runner; the bench's fork loop."""


class DockerSandbox:
    """One container and the stream to its supervisor."""

    def __init__(self, container: Container, stream: SandboxStream) -> None:
        self.stream = stream
        self.identity = str(container.id)
        self._container = container

    async def kill(self) -> None:
        """Remove the container by force."""
        self.stream.close()
        await asyncio.to_thread(_remove, self._container)

    def last_words(self) -> str:
        """Return the end of the container's stderr."""
        return self.stream.stderr.decode(errors="replace").strip()


class DockerBackend:
    """Launches sandboxes through the Docker daemon."""

    name = "docker"

    def __init__(self, options: DockerOptions) -> None:
        self._options = options
        self._name = uuid.uuid4().hex
        self._daemon: dict[str, Any] = {}
        """What the daemon says of itself (docker info), from the first start on."""
        try:
            self._client = docker.from_env(timeout=60)
            self._client.ping()
            self._owners = Owners(self._client)
        except docker.errors.DockerException as error:
            raise ConfigurationError(
                f"no Docker daemon answers (DOCKER_HOST={os.environ.get('DOCKER_HOST', 'unset')}): "
                f"{error}"
            ) from error

    async def launch(self) -> DockerSandbox:
        """Create, attach to and start one container."""
        starting = asyncio.ensure_future(asyncio.to_thread(self._start))
        try:
            container, raw = await asyncio.shield(starting)
        except asyncio.CancelledError:
            # The thread goes on, and what it starts would belong to nobody.
            with contextlib.suppress(docker.errors.DockerException, OSError):
                container, raw = await starting
                sock: socket.socket = raw._sock
                raw.close()
                sock.close()
                await asyncio.to_thread(_remove, container)
            raise
        except docker.errors.ImageNotFound as error:
            raise SandboxStartError(
                f"image {self._options.image} is missing: make runner-image"
            ) from error
        except (docker.errors.DockerException, OSError) as error:
            raise SandboxStartError(f"Docker does not start a sandbox: {error}") from error
        # A duplicate, since the SDK's response object closes its own whenever it is collected.
        sock = raw._sock
        ours = sock.dup()
        raw.close()
        sock.close()
        ours.setblocking(False)
        loop = asyncio.get_running_loop()
        _, stream = await loop.create_connection(lambda: SandboxStream(multiplexed=True), sock=ours)
        return DockerSandbox(container, stream)

    def _start(self) -> tuple[Container, Any]:
        if not self._daemon:
            self._daemon = self._client.info()
        container = self._client.containers.create(self._options.image, **self.container_options())
        try:
            raw = container.attach_socket(
                params={"stdin": 1, "stdout": 1, "stderr": 1, "stream": 1}
            )
            container.start()
        except BaseException:
            _remove(container)
            raise
        return container, raw

    def container_options(self) -> dict[str, Any]:
        """Return what is asked of Docker for each container."""
        options = self._options
        memory = f"{options.memory_mb + _OVERHEAD_MB}m"
        profile = json.dumps(json.loads(profile_path("container").read_text()))
        chosen: dict[str, Any] = {
            "stdin_open": True,
            "tty": False,
            "auto_remove": True,
            "network_mode": "none",
            "read_only": True,
            "cap_drop": ["ALL"],
            "security_opt": ["no-new-privileges", f"seccomp={profile}"],
            "user": _NOBODY,
            "mem_limit": memory,
            "memswap_limit": memory,
            "nano_cpus": int(options.cpus * 1e9),
            "pids_limit": options.pids,
            "ipc_mode": "none",
            "tmpfs": {SCRATCH: f"size={SCRATCH_BYTES},noexec,nosuid,nodev,nr_inodes={MOST_FILES}"},
            "ulimits": [Ulimit(name="core", soft=0, hard=0)],
            "log_config": LogConfig(type=LogConfig.types.NONE),
            "hostname": "sandbox",
            "environment": {},
            "labels": {
                LABEL: "1",
                BACKEND_LABEL: self._name,
                **self._owners.labels(options.owner),
            },
        }
        if options.runtime is not None:
            chosen["runtime"] = options.runtime
        if options.python_arguments is not None:
            chosen["entrypoint"] = ["python3", *options.python_arguments]
        return chosen

    async def sweep(self) -> int:
        """Remove the containers of services on this daemon that are no longer alive."""
        return await asyncio.to_thread(self._sweep)

    def _sweep(self) -> int:
        removed = 0
        for container in self._client.containers.list(
            all=True, filters={"label": LABEL}, ignore_removed=True
        ):
            if not self._owners.alive(container.labels):
                _remove(container)
                removed += 1
        return removed

    async def living(self) -> set[str]:
        """Return the ids of this backend's containers that the daemon has, in whatever state."""
        return await asyncio.to_thread(self._living)

    def _living(self) -> set[str]:
        # One request; the SDK's own list asks once more for each container.
        found = self._client.api.containers(
            all=True, filters={"label": f"{BACKEND_LABEL}={self._name}"}
        )
        return {container["Id"] for container in found}

    def protections(self, hello: dict[str, Any]) -> list[Protection]:
        """Return what is in force."""
        options = self._options
        return [
            *common_protections(hello),
            Protection("read_only_root", True, "read-only image, noexec tmpfs on /tmp"),
            self._limit(
                "memory_cgroup", "MemoryLimit", f"{options.memory_mb + _OVERHEAD_MB} MiB, no swap"
            ),
            self._limit("pids_cgroup", "PidsLimit", f"{options.pids} tasks"),
            Protection(
                "gvisor", options.runtime == "runsc", f"runtime {options.runtime or 'default'}"
            ),
        ]

    def _limit(self, name: str, fact: str, detail: str) -> Protection:
        """Return a limit that the daemon may be unable to set, and then leaves out silently."""
        able = bool(self._daemon.get(fact))
        return Protection(name, able, detail if able else "this Docker daemon has no such cgroup")


def _remove(container: Container) -> None:
    # Gone already, or being removed by auto_remove: both are what is wanted.
    with contextlib.suppress(docker.errors.NotFound, docker.errors.APIError):
        container.remove(force=True)
