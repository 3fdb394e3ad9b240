"""The host's end of a sandbox's byte stream.

One protocol object per sandbox, one run at a time. Docker's attached stream wraps each piece in an
eight-byte header that tells stdout from stderr; the bubblewrap stream is bare.

Covered: whatever bytes come, the worst is a ``ProtocolError``; a length is believed only up to
what was asked for, so a sandbox that has been taken over cannot fill this process's memory.
Not covered: the truth of a report from such a sandbox; see the layers that enclose a run.
"""

import asyncio
import json
import struct
from typing import Any, Final, Protocol, cast

from executor_service.errors import ProtocolError, SandboxDied
from executor_service.sandbox.runner import frames
from executor_service.sandbox.runs import Report, Usage

_MULTIPLEX: Final = struct.Struct(">BxxxI")
_STDOUT: Final = 1
_KEPT_STDERR: Final = 4000
_LONGEST_HELLO: Final = 1 << 20
_SLACK: Final = 1 << 17
"""What a supervisor may read past a cap before it sees that the run is over it."""


class Framed(Protocol):
    """A request that a supervisor understands."""

    def frame(self, run_id: int) -> bytes:
        """Return the bytes that ask for the run."""


class SandboxStream(asyncio.Protocol):
    """Speaks the frame protocol of ``runner.frames`` over an asyncio transport."""

    def __init__(self, *, multiplexed: bool = False) -> None:
        self._multiplexed = multiplexed
        self._raw = bytearray()
        self._data = bytearray()
        self._wanted = frames.LENGTH.size
        self._transport: asyncio.Transport | None = None
        self._hello: asyncio.Future[dict[str, Any]] | None = None
        self._report: asyncio.Future[Report] | None = None
        self._next_run = 0
        self._longest = (0, 0)
        self.stderr = bytearray()
        self.closed = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport; called by asyncio."""
        # uvloop's transports are none of asyncio's classes, and have the same methods.
        self._transport = cast("asyncio.Transport", transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """Fail whatever waits; called by asyncio."""
        self._fail(SandboxDied("the sandbox closed its stream"))
        if not self.closed.done():
            self.closed.set_result(None)

    def data_received(self, data: bytes) -> None:
        """Take bytes in; called by asyncio."""
        try:
            if self._multiplexed:
                self._demultiplex(data)
            else:
                self._data += data
            self._consume()
        except ProtocolError as error:
            self._fail(error)
            self.close()

    async def greet(self, config: dict[str, Any]) -> dict[str, Any]:
        """Send the configuration frame and wait for the supervisor's hello."""
        self._hello = asyncio.get_running_loop().create_future()
        body = json.dumps(config).encode()
        self._write(frames.LENGTH.pack(len(body)) + body)
        return await self._hello

    async def run(self, request: Framed) -> Report:
        """Have the sandbox carry out ``request``.

        Raises:
            SandboxDied: The stream ended before the report came.
            ProtocolError: The sandbox sent something else than a report.
        """
        if self._report is not None:
            raise ProtocolError("a sandbox takes one run at a time")
        self._next_run = (self._next_run + 1) & 0xFFFFFFFF
        self._report = asyncio.get_running_loop().create_future()
        try:
            frame = request.frame(self._next_run)
            self._longest = frames.REQUEST.unpack_from(frame)[6:8]
            self._write(frame)
            report = await asyncio.shield(self._report)
        except asyncio.CancelledError:
            # The run goes on in there: its report is yet to come, and ``end_run`` waits for it.
            if self._report.done():
                self._report = None
            raise
        except BaseException:
            self._report = None
            raise
        self._report = None
        return report

    async def end_run(self) -> Report | None:
        """Have the run that its caller has given up killed; return how it ended.

        None: its report was there already.

        Raises:
            SandboxDied: The stream ended meanwhile.
            ProtocolError: The sandbox sent something else than a report.
        """
        if self._report is None:
            return None
        try:
            self.cancel()
            return await self._report
        finally:
            self._report = None

    def cancel(self) -> None:
        """Ask the supervisor to kill the run under way; its report says CANCELLED."""
        self._write(frames.REQUEST.pack(frames.KIND_CANCEL, 0, 0, self._next_run, 0, 0, 0, 0, 0))

    def close(self) -> None:
        """Close the stream: the supervisor takes that as the order to end."""
        if self._transport is not None:
            self._transport.abort()

    def _write(self, data: bytes) -> None:
        if self._transport is None or self._transport.is_closing():
            raise SandboxDied("the sandbox's stream is closed")
        self._transport.write(data)

    def _fail(self, error: Exception) -> None:
        for future in (self._hello, self._report):
            if future is not None and not future.done():
                future.set_exception(error)

    def _demultiplex(self, data: bytes) -> None:
        raw = self._raw
        raw += data
        while len(raw) >= _MULTIPLEX.size:
            kind, size = _MULTIPLEX.unpack_from(raw)
            if size > sum(self._longest) + _LONGEST_HELLO + _SLACK:
                raise ProtocolError("a piece of the stream is longer than anything asked for")
            end = _MULTIPLEX.size + size
            if len(raw) < end:
                return
            if kind == _STDOUT:
                self._data += raw[_MULTIPLEX.size : end]
            else:
                self.stderr += raw[_MULTIPLEX.size : end]
                del self.stderr[:-_KEPT_STDERR]
            del raw[:end]

    def _consume(self) -> None:
        data = self._data
        if self._hello is not None:
            if len(data) < frames.LENGTH.size:
                return
            end = frames.LENGTH.size + frames.LENGTH.unpack_from(data)[0]
            if end > _LONGEST_HELLO:
                raise ProtocolError("a hello that is too long")
            if len(data) < end:
                return
            facts = _hello(data[frames.LENGTH.size : end])
            hello, self._hello = self._hello, None
            if not hello.done():
                hello.set_result(facts)
            del data[:end]
        if len(data) < frames.REPORT.size:
            return
        run_id, ending, code, cpu, wall, _, peak, result, stdout, stderr = (
            frames.REPORT.unpack_from(data)
        )
        if self._report is None or self._report.done() or run_id != self._next_run:
            raise ProtocolError("a report came for a run that nobody asked for")
        result_cap, stream_cap = self._longest
        if result > result_cap + _SLACK or max(stdout, stderr) > stream_cap + _SLACK:
            raise ProtocolError("a report is longer than the run's limits")
        start = frames.REPORT.size
        end = start + result + stdout + stderr
        if len(data) < end:
            return
        body = bytes(data[start:end])
        del data[:end]
        self._report.set_result(
            Report(
                run_id,
                ending,
                code,
                Usage(cpu / 1000, wall / 1000, peak),
                body[:result],
                body[result : result + stdout],
                body[result + stdout :],
            )
        )


def _hello(data: bytearray) -> dict[str, Any]:
    try:
        facts = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise ProtocolError(f"a hello that is not JSON: {error}") from None
    if type(facts) is not dict:
        raise ProtocolError("a hello that is not an object")
    return facts
