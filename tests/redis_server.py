"""A real redis-server for tests, which can be stopped, killed and started again."""

import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest
import redis

BINARY = shutil.which("redis-server")
_PATIENCE = 20.0


class RedisServer:
    """A redis-server of the test's own, in a folder of the test's own.

    With ``append_only`` it has its data again after ``kill`` and ``start``. Besides its unix socket
    it listens on a loopback port if ``tcp`` is set.
    """

    def __init__(
        self,
        folder: Path,
        *,
        append_only: bool = False,
        password: str | None = None,
        tcp: bool = False,
        options: tuple[str, ...] = (),
    ) -> None:
        assert BINARY is not None, "redis-server is not installed"
        self.folder = folder
        self.password = password
        self.port = _free_port() if tcp else 0
        self.socket = folder / "redis.sock"
        # The path of a unix socket is short, and that of a test's folder is not.
        assert len(str(self.socket)) < 100, self.socket
        self._command = [
            BINARY,
            *("--unixsocket", str(self.socket), "--dir", str(folder), "--save", ""),
            *("--port", str(self.port), "--bind", "127.0.0.1"),
            *("--appendonly", "yes" if append_only else "no", *options),
            *(("--requirepass", password) if password else ()),
        ]
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The address over the unix socket."""
        secret = f":{self.password}@" if self.password else ""
        return f"unix://{secret}{self.socket}"

    @property
    def tcp_url(self) -> str:
        """The address over TCP."""
        assert self.port
        secret = f":{self.password}@" if self.password else ""
        return f"redis://{secret}127.0.0.1:{self.port}/0"

    def client(self) -> "redis.Redis":
        """Return a client for the test itself."""
        return redis.Redis.from_url(self.url)

    def start(self) -> "RedisServer":
        """Start it, or start it again, and wait until it answers."""
        assert self._process is None
        with (self.folder / "redis.log").open("ab") as log:
            self._process = subprocess.Popen(self._command, stdout=log, stderr=log)
        deadline = time.monotonic() + _PATIENCE
        while True:
            try:
                with self.client() as client:
                    client.ping()
                return self
            except redis.RedisError:  # not listening yet, or loading
                assert self._process.poll() is None, (self.folder / "redis.log").read_text()
                assert time.monotonic() < deadline, "redis-server does not answer"
                time.sleep(0.02)

    def kill(self) -> None:
        """End it as a crash would: SIGKILL."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """End it in good order, if it runs."""
        if self._process is not None:
            self._end(signal.SIGTERM)

    def freeze(self) -> None:
        """Stop its clock: connections stay open, and nothing answers."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """End ``freeze``."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def _end(self, number: signal.Signals) -> None:
        assert self._process is not None
        os.kill(self._process.pid, number)
        os.kill(self._process.pid, signal.SIGCONT)
        self._process.wait(_PATIENCE)
        self._process = None


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


def need_redis() -> None:
    """Skip the test where there is no redis-server."""
    if BINARY is None:
        pytest.skip("redis-server is not installed")
