"""The service over HTTP: a server process of its own, and a client that costs little.

The client keeps connections open, sends requests that were serialised before, and looks at
answers no more than it must; what it costs all the same is measured and shown beside the figures.
"""

import asyncio
import contextlib
import json
import os
import socket
import subprocess  # nosec - our own command
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

from executor_service.bench.drive import rate
from executor_service.errors import ConfigurationError
from executor_service.settings import Settings

BATCH: Final = 256
IN_FLIGHT: Final = 4
"""Batches under way at once: while one is parsed, others run."""
_START_SECONDS: Final = 180.0
_STOP_SECONDS: Final = 20.0
_SERVE: Final = "from executor_service.cli.main import app; app()"
_TICKS: Final = os.sysconf("SC_CLK_TCK")


class Connection:
    """One kept-alive HTTP/1.1 connection; knows just what this server sends."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def open(cls, port: int) -> "Connection":
        """Connect to the server on this host."""
        return cls(*await asyncio.open_connection("127.0.0.1", port, limit=1 << 24))

    async def send(self, request: bytes) -> tuple[int, bytes]:
        """Send a whole request; return the status and the body of the answer."""
        self._writer.write(request)
        head = await self._reader.readuntil(b"\r\n\r\n")
        length = 0
        for line in head.split(b"\r\n")[1:]:
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        return int(head.split(b" ", 2)[1]), await self._reader.readexactly(length)

    def close(self) -> None:
        """Close the connection."""
        self._writer.close()


def request_bytes(method: str, path: str, body: Any = None) -> bytes:
    """Return a request as it goes over the wire."""
    data = b"" if body is None else json.dumps(body).encode()
    head = (
        f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(data)}\r\n\r\n"
    )
    return head.encode() + data


@dataclass
class Server:
    """A running ``azr-executor serve``."""

    port: int
    pid: int

    def cpu_seconds(self) -> float:
        """Return the CPU time of the server process itself, its sandboxes not included."""
        text = Path(f"/proc/{self.pid}/stat").read_text()
        user, system = text.rpartition(")")[2].split()[11:13]
        return (int(user) + int(system)) / _TICKS


@contextlib.asynccontextmanager
async def serving(settings: Settings) -> AsyncIterator[Server]:
    """Start a server with these settings, wait until it is ready, and end it.

    Raises:
        ConfigurationError: It does not become ready; the message has its last words.
    """
    port = free_port()
    environment = os.environ | {
        f"EXECUTOR_{name.upper()}": str(getattr(settings, name))
        for name in ("backend", "slots", "docker_image", "cache_bytes")
    }
    environment |= {"EXECUTOR_LOG_LEVEL": "warning", "EXECUTOR_PORT": str(port)}
    environment |= {"EXECUTOR_KEYS": "", "EXECUTOR_KEYS_FILE": "", "EXECUTOR_RATE_LIMIT": "0"}
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(  # noqa: S603 - returns at once
            [sys.executable, "-c", _SERVE, "serve", "--host", "127.0.0.1"],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
        try:
            await _ready(process, port, log)
            yield Server(port, process.pid)
        finally:
            process.terminate()
            try:
                await asyncio.to_thread(process.wait, _STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


async def _ready(process: subprocess.Popen[bytes], port: int, log: IO[bytes]) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            connection = await Connection.open(port)
            status, _ = await connection.send(request_bytes("GET", "/readyz"))
            connection.close()
            if status == 200:
                return
        await asyncio.sleep(0.1)
    log.seek(0)
    words = log.read().decode(errors="replace")[-1000:]
    raise ConfigurationError(f"azr-executor serve does not become ready: {words}")


def free_port() -> int:
    """Return a TCP port that nothing listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Load:
    """Batches of one kind, sent again and again, and what sending them cost."""

    server: Server
    batches: Sequence[bytes]
    good: bytes
    """What an answer has once for each item that is as it should be."""
    not_good: int = 0
    items: int = 0
    client_cpu: float = 0.0
    server_cpu: float = 0.0

    @classmethod
    def of(cls, server: Server, items: Sequence[dict[str, Any]], good: bytes) -> "Load":
        """Cut ``items``, repeated as needed, into full batches."""
        repeated = [items[index % len(items)] for index in range(max(BATCH * 2, len(items)))]
        whole = len(repeated) // BATCH
        batches = [
            request_bytes("POST", "/v1/batch", {"items": repeated[i * BATCH : (i + 1) * BATCH]})
            for i in range(whole)
        ]
        return cls(server, batches, good)

    async def measure(self, seconds: float) -> float:
        """Send batches for that long; return items a second."""
        # Opened anew: the server closes what was idle while other things were measured.
        free = [await Connection.open(self.server.port) for _ in range(IN_FLIGHT)]
        turn = 0

        async def one_batch() -> int:
            nonlocal turn
            connection = free.pop()
            turn += 1
            status, body = await connection.send(self.batches[turn % len(self.batches)])
            free.append(connection)
            if status != 200:
                raise ConfigurationError(f"the server answers {status}: {body[:300]!r}")
            self.not_good += BATCH - body.count(self.good)
            self.items += BATCH
            return BATCH

        client, server = time.process_time(), self.server.cpu_seconds()
        found = await rate(one_batch, IN_FLIGHT, seconds)
        self.client_cpu += time.process_time() - client
        self.server_cpu += self.server.cpu_seconds() - server
        for connection in free:
            connection.close()
        return found


async def latencies(port: int, requests: Sequence[bytes], seconds: float) -> list[float]:
    """Send single requests one after another; return the milliseconds each took."""
    connection = await Connection.open(port)
    found: list[float] = []
    started = time.perf_counter()
    while time.perf_counter() - started < seconds or len(found) < 2:
        sent = time.perf_counter()
        status, body = await connection.send(requests[len(found) % len(requests)])
        found.append((time.perf_counter() - sent) * 1000)
        if status != 200:
            raise ConfigurationError(f"the server answers {status}: {body[:300]!r}")
    connection.close()
    return found
