"""A whole script, seen from the host: what is asked of a sandbox and what came of it.

Nothing that a script writes is believed: its output is text, its files are bytes, and how it ended
comes from the supervisor.
"""

import json
import marshal
import signal
from dataclasses import dataclass, field
from typing import Final

from executor_service.errors import ProtocolError
from executor_service.sandbox.runner import frames
from executor_service.sandbox.runner.variants import FLAVOURS, USUAL, choose_flavour
from executor_service.sandbox.runs import Limits, Report, Usage

FETCH_BYTES: Final = 8 * 1024 * 1024
"""Most bytes of files that come back from one script."""
_LEAST_FLAVOUR: Final = next(n for n, flavour in enumerate(FLAVOURS) if flavour.name == "rich")
"""Scripts import much, and two kinds of zygotes for them cost less memory than three."""
_MARSHAL_VERSION: Final = 2
_SHOWN_MESSAGE: Final = 2000


@dataclass(frozen=True, slots=True)
class ScriptRequest:
    """One script, run once as ``__main__`` in a process and a scratch of its own.

    Paths of ``files`` and ``fetch`` are relative, and checked by whoever makes the request. With
    ``strict`` a stream of more than ``limits.stdout_bytes`` ends the script, otherwise what is
    beyond is dropped; ``limits.output_bytes`` does not matter.
    """

    source: str
    name: str = "script.py"
    args: tuple[str, ...] = ()
    stdin: str = ""
    files: tuple[tuple[str, bytes], ...] = ()
    fetch: tuple[str, ...] = ()
    strict: bool = False
    limits: Limits = field(default_factory=Limits)

    def frame(self, run_id: int) -> bytes:
        """Return the header, the terms and the payload that ask a supervisor for this run."""
        limits = self.limits
        payload = marshal.dumps(
            {
                "script": encoded(self.source),
                "name": self.name,
                "args": list(self.args),
                "stdin": encoded(self.stdin),
                "files": list(self.files),
                "memory_bytes": limits.memory_mb << 20,
                "cpu_seconds": limits.cpu_seconds,
            },
            _MARSHAL_VERSION,
        )
        terms = json.dumps({"fetch": self.fetch, "strict": self.strict}).encode()
        header = frames.REQUEST.pack(
            frames.KIND_SCRIPT,
            USUAL,
            max(choose_flavour(self.source), _LEAST_FLAVOUR),
            run_id,
            int(limits.cpu_seconds * 1000),
            int(limits.wall_seconds * 1000),
            FETCH_BYTES + frames.FETCHED.size * len(self.fetch) if self.fetch else 0,
            limits.stdout_bytes,
            len(payload) + frames.LENGTH.size,
        )
        head = header + frames.LENGTH.pack(len(terms)) + terms
        return head + frames.LENGTH.pack(len(payload)) + payload

    def result(self, report: Report) -> "ScriptResult":
        """Turn a report into a result.

        Raises:
            ProtocolError: The sandbox failed before the script was touched, or sent nonsense.
        """
        stdout = report.stdout.decode("utf-8", "replace")
        stderr = report.stderr.decode("utf-8", "replace")
        if report.ending == frames.FAULT:
            raise ProtocolError(f"the harness failed: {stderr[-_SHOWN_MESSAGE:]}")
        status, message, limit, signal_name = _ended(report)
        files, left_out = _fetched(report.result, self.fetch)
        return ScriptResult(
            status,
            message,
            limit=limit,
            exit_code=report.code if report.ending == frames.EXITED else None,
            signal=signal_name,
            stdout=stdout,
            stderr=stderr,
            files=files,
            left_out=left_out,
            usage=report.usage,
        )


@dataclass(frozen=True, slots=True)
class ScriptResult:
    """How one script ended: a run status of the contract, and what belongs to it."""

    status: str
    message: str = ""
    limit: str | None = None
    """The limit that ended it: cpu_time, wall_time, stdout, stderr or files."""
    exit_code: int | None = None
    """Its exit status; None where it did not leave by itself."""
    signal: str | None = None
    """The signal that ended it, where neither it nor a limit did."""
    stdout: str = ""
    stderr: str = ""
    files: tuple[tuple[str, bytes], ...] = ()
    left_out: tuple[str, ...] = ()
    """Wanted files that are there and too large together."""
    usage: Usage = Usage()


def encoded(text: str) -> bytes:
    """Return text in UTF-8; a lone surrogate, which has no such form, as three bytes."""
    return text.encode("utf-8", "surrogatepass")


_KILLED: Final = {
    frames.CPU_TIME: ("timeout", "over its CPU time limit", "cpu_time"),
    frames.WALL_TIME: ("timeout", "over its wall time limit", "wall_time"),
    frames.STREAM_SIZE: ("output_limit", "stdout is longer than stdout_bytes", "stdout"),
    frames.STDERR_SIZE: ("output_limit", "stderr is longer than stdout_bytes", "stderr"),
    frames.SCRATCH_SIZE: ("output_limit", "made more files than it may", "files"),
    frames.CANCELLED: ("infra_error", "the run was cancelled", None),
}


def _ended(report: Report) -> tuple[str, str, str | None, str | None]:
    """Return the status, a message, and the limit or the signal that ended it."""
    if report.ending == frames.EXITED:
        if report.code == 0:
            return "ok", "", None, None
        return "runtime_error", f"exit status {report.code}", None, None
    if report.ending == frames.SIGNALED:
        return _signalled(report.code)
    if report.ending in _KILLED:
        return (*_KILLED[report.ending], None)
    raise ProtocolError(f"unknown ending {report.ending} in a script's report")


def _signalled(number: int) -> tuple[str, str, str | None, str]:
    try:
        name = signal.Signals(number).name
    except ValueError:
        name = f"signal {number}"
    if number == signal.SIGSYS:
        return "security_violation", "made a system call that only an attack makes", None, name
    if number == signal.SIGKILL:
        # No run can send a signal, and the supervisor names its own kills: this is the OOM killer.
        return "memory_limit", "killed for the sandbox's memory limit", None, name
    if number == signal.SIGXCPU:
        return "timeout", "over its CPU time limit", "cpu_time", name
    return "runtime_error", f"killed by {name}", None, name


def _fetched(
    data: bytes, wanted: tuple[str, ...]
) -> tuple[tuple[tuple[str, bytes], ...], tuple[str, ...]]:
    """Return the files in a report, and the names of those that did not fit."""
    files: list[tuple[str, bytes]] = []
    left_out: list[str] = []
    at = 0
    while at < len(data):
        if at + frames.FETCHED.size > len(data):
            raise ProtocolError("a script's files are cut short")
        number, size = frames.FETCHED.unpack_from(data, at)
        at += frames.FETCHED.size
        if number >= len(wanted):
            raise ProtocolError("a script's report has a file that nobody asked for")
        if size == frames.TOO_LARGE:
            left_out.append(wanted[number])
            continue
        if at + size > len(data):
            raise ProtocolError("a script's files are cut short")
        files.append((wanted[number], data[at : at + size]))
        at += size
    return tuple(files), tuple(left_out)
