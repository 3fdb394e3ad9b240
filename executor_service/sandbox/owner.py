"""Whose a sandbox container is, and how another service tells that its owner is gone.

A running sandbox ends when its input does, so a service that is killed leaves at most containers
that it had created and not yet started. The next service that starts on the same daemon removes
those, and nothing of a service that lives: each container says which process made it and, where
that process is itself in a container of the same daemon (a worker of the compose stack), in which.
Processes of another pid namespace cannot be looked up; but the daemon knows its containers.
"""

import os
import re
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import docker
import docker.errors

OWNER_LABEL: Final = "org.azr-executor.owner"
CONTAINER_LABEL: Final = "org.azr-executor.owner-container"
_HOSTNAME_MOUNT: Final = re.compile(r"/containers/([0-9a-f]{64})/hostname /etc/hostname ", re.ASCII)
_LIVE_STATES: Final = ("running", "paused", "restarting")


class Owners:
    """Names this process as an owner, and tells which other owners live."""

    def __init__(self, client: docker.DockerClient) -> None:
        """Find out in which container of the daemon this process is, if in any.

        Raises:
            docker.errors.DockerException: The daemon cannot be asked.
        """
        self._client = client
        self.container = container_of_mounts(Path("/proc/self/mountinfo").read_text())
        if self.container is not None and self._state(self.container) is None:
            self.container = None  # that is another daemon's container

    def labels(self, owner: str) -> dict[str, str]:
        """Return the labels of a container that the process called ``owner`` makes here."""
        known = {} if self.container is None else {CONTAINER_LABEL: self.container}
        return {OWNER_LABEL: owner} | known

    def alive(self, labels: Mapping[str, str]) -> bool:
        """Tell whether the owner of a container with these labels may still live.

        Raises:
            docker.errors.APIError: The daemon does not say.
        """
        owner, container = labels.get(OWNER_LABEL, ""), labels.get(CONTAINER_LABEL)
        if container is None:
            return owner_alive(owner)
        if container == self.container:
            # Elsewhere in the same container is an earlier life of it, before a restart.
            return _is_here(owner) and owner_alive(owner)
        return self._state(container) in _LIVE_STATES

    def _state(self, container: str) -> str | None:
        """Return a container's state in Docker's words, or None if the daemon has none such."""
        try:
            return str(self._client.api.inspect_container(container)["State"]["Status"])
        except docker.errors.NotFound:
            return None


def container_of_mounts(mounts: str) -> str | None:
    """Return the container's id that a ``/proc/PID/mountinfo`` shows, or None.

    Docker mounts a container's ``/etc/hostname`` from a folder with the id in its name; the host
    name itself may have been chosen, or be the host's.
    """
    found = _HOSTNAME_MOUNT.search(mounts)
    return found[1] if found else None


def owner_name() -> str:
    """Return a name for this process that no later process on any host can have."""
    return f"{_place()}:{os.getpid()}:{_start_ticks(os.getpid())}"


def owner_alive(owner: str) -> bool:
    """Tell whether the process that ``owner_name`` described may still run.

    A process of another host or pid namespace cannot be looked up from here and counts as alive.
    """
    if not _is_here(owner):
        return bool(owner.partition(":")[0])
    pid, _, ticks = owner.partition(":")[2].partition(":")
    return pid.isdigit() and _start_ticks(int(pid)) == ticks


def _is_here(owner: str) -> bool:
    return owner.partition(":")[0] == _place()


def _place() -> str:
    """Return host name and pid namespace: where a pid means the same process as here."""
    return f"{socket.gethostname()}/{Path('/proc/self/ns/pid').stat().st_ino}"


def _start_ticks(pid: int) -> str:
    """Return a process's start time in clock ticks since boot, or "" where there is none."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except OSError:
        return ""
