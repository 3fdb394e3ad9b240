"""The binary frames between host, supervisor and zygote.

All integers are little-endian. Host to supervisor: one configuration frame (``LENGTH`` and JSON),
then for each run a ``REQUEST`` header followed by ``payload_bytes`` of payload. Supervisor to host:
one hello frame (``LENGTH`` and JSON), then for each run a ``REPORT`` header followed by the result,
stdout and stderr bytes. Zygote to supervisor: fixed-size ``EVENT`` records on a pipe, each below
``PIPE_BUF`` and so written whole.

The payload is ``LENGTH`` and marshal and is read by the child alone; the result bytes should be
``LENGTH`` and JSON too, but they come from a process that ran untrusted code, so the host
decodes them with suspicion (``executor_service.sandbox.runs``). A script has no result of its own:
its result bytes are the files that were wanted back, each after a ``FETCHED``.
"""

import os
import struct
from typing import Final

LENGTH: Final = struct.Struct("<I")

REQUEST: Final = struct.Struct("<BBBxIIIIII")
"""kind, variant, flavour, run id, cpu ms, wall ms, result cap, stream cap, payload bytes."""
KIND_RUN: Final = 1
KIND_CANCEL: Final = 2
KIND_SCRIPT: Final = 3
"""A whole script: ``LENGTH`` and JSON, its terms, stand between the header and the payload."""

REPORT: Final = struct.Struct("<IBBxxQQQIIII")
"""run id, ending, code, cpu µs, wall µs, wait µs, peak RSS KiB, result, stdout, stderr bytes."""

EXITED: Final = 0
"""The child left by itself; code is its exit status."""
SIGNALED: Final = 1
"""The child died of a signal that the supervisor did not send; code is the signal."""
CPU_TIME: Final = 2
WALL_TIME: Final = 3
RESULT_SIZE: Final = 4
STREAM_SIZE: Final = 5
CANCELLED: Final = 6
FAULT: Final = 7
"""The child's harness failed before the program was touched: the sandbox is to blame."""
STDERR_SIZE: Final = 8
SCRATCH_SIZE: Final = 9
"""A script made more files than a scratch may hold."""

FETCHED: Final = struct.Struct("<II")
"""Place in the list of wanted files, and bytes; the file's content follows."""
TOO_LARGE: Final = 0xFFFFFFFF
"""In place of the bytes of a file that did not fit the result cap; no content follows."""

EVENT: Final = struct.Struct("<BBxxiiIQ")
"""kind, lane, pid, wait status, peak RSS KiB, cpu µs."""
PARKED: Final = 1
"""A child waits for a request in this lane."""
ENDED: Final = 2
"""The child of this lane is dead and reaped."""
FAILED: Final = 3
"""The child of this pid, whose harness failed, is about to end; its lane is not told."""

LANES: Final = 2
"""Children a zygote keeps: one that runs and one parked for the next run."""


def read_exactly(descriptor: int, count: int) -> bytes:
    """Read ``count`` bytes from a blocking descriptor; fewer only at the end of the stream."""
    data = os.read(descriptor, count)
    if len(data) == count or not data:
        return data
    parts = [data]
    missing = count - len(data)
    while missing:
        data = os.read(descriptor, missing)
        if not data:
            break
        parts.append(data)
        missing -= len(data)
    return b"".join(parts)


def write_all(descriptor: int, data: bytes) -> None:
    """Write all of ``data`` to a blocking descriptor."""
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]
