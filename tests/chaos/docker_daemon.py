"""A Docker daemon of the test's own, which it may kill without harming anybody else's."""

import os
import signal
import subprocess
import time
from pathlib import Path


class DockerDaemon:
    """A second ``dockerd``, with its own data, socket and no network."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.url = f"unix://{folder / 'docker.sock'}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it answers."""
        # A daemon that was killed leaves its pids behind, and the next one would take it for alive.
        for name in ("pid", "exec/containerd/containerd.pid"):
            (self.folder / name).unlink(missing_ok=True)
        flags = {"--data-root": "data", "--exec-root": "exec", "--pidfile": "pid"}
        # In a network of its own: with --bridge=none it would remove the other daemon's bridge.
        command = ["unshare", "--net", "dockerd", "-H", self.url]
        command += ["--bridge=none", "--iptables=false", "--ip6tables=false"]
        for flag, name in flags.items():
            command += [flag, str(self.folder / name)]
        with (self.folder / "dockerd.txt").open("ab") as log:
            self._process = subprocess.Popen(
                command, stdout=log, stderr=log, stdin=subprocess.DEVNULL
            )
        deadline = time.monotonic() + 60
        while not self.answers():
            words = (self.folder / "dockerd.txt").read_text()[-2000:]
            assert time.monotonic() < deadline, f"dockerd does not answer\n{words}"
            assert self._process.poll() is None, f"dockerd ended\n{words}"
            time.sleep(0.1)

    def answers(self) -> bool:
        """Tell whether it answers now."""
        return self._docker("version").returncode == 0

    def load(self, image: str) -> None:
        """Copy an image from the machine's own daemon."""
        subprocess.run(
            f"docker save {image} | docker -H {self.url} load", shell=True, check=True,
            stdout=subprocess.DEVNULL,
        )  # fmt: skip

    def containers(self) -> list[str]:
        """Return the ids of its running containers."""
        return self._docker("ps", "--quiet", "--no-trunc").stdout.split()

    def kill_container(self, name: str) -> None:
        """Kill a container from outside."""
        self._docker("kill", name)

    def stop(self, number: int = signal.SIGTERM) -> None:
        """End it with a signal."""
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait(60)
            self._process = None

    def close(self) -> None:
        """End it with all it runs, and what it mounted."""
        if self._process is None:
            self.start()  # one that was killed has left containers and mounts behind
        if found := self._docker("ps", "--all", "--quiet").stdout.split():
            self._docker("rm", "--force", *found)
        self.stop()
        for mount in sorted(_mounts_below(self.folder), reverse=True):
            subprocess.run(["umount", "-l", mount], check=False)

    def _docker(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            ["docker", "-H", self.url, *arguments], capture_output=True, text=True, check=False
        )


def _mounts_below(folder: Path) -> list[str]:
    lines = Path("/proc/self/mounts").read_text().splitlines()
    return [line.split()[1] for line in lines if line.split()[1].startswith(f"{folder}{os.sep}")]
