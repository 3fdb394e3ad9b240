"""A Redis server of the tests' own, on a unix socket; nothing of it is left afterwards."""

import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis


class RedisServer:
    """One redis-server process that can be ended and started again, without a port."""

    def __init__(self, binary: str, folder: Path) -> None:
        self.socket = folder / "redis.sock"
        self._command = [
            binary, "--port", "0", "--unixsocket", str(self.socket), "--dir", str(folder),
            "--save", "", "--appendonly", "no",
        ]  # fmt: skip
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The address for redis-py."""
        return f"unix://{self.socket}"

    def start(self) -> None:
        """Start the server and wait until it answers."""
        self._process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL)
        with redis.Redis(unix_socket_path=str(self.socket)) as client:
            for _ in range(500):
                try:
                    client.ping()
                    return
                except redis.RedisError:
                    time.sleep(0.01)
        raise AssertionError("redis-server does not answer")

    def stop(self) -> None:
        """End the server."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


@pytest.fixture
def start_redis(tmp_path: Path) -> Iterator[Callable[[], RedisServer]]:
    """A way to start a server of the test's own."""
    binary = shutil.which("redis-server")
    if binary is None:
        pytest.skip("there is no redis-server binary")
    started: list[RedisServer] = []

    def start() -> RedisServer:
        started.append(RedisServer(binary, tmp_path))
        started[-1].start()
        return started[-1]

    yield start
    for server in started:
        server.stop()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """A server shared by tests that leave it running."""
    binary = shutil.which("redis-server")
    if binary is None:
        pytest.skip("there is no redis-server binary")
    running = RedisServer(binary, tmp_path_factory.mktemp("redis"))
    running.start()
    yield running
    running.stop()
