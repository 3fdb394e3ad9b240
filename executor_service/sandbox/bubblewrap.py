"""The embedded backend: sandboxes made by bubblewrap, without a daemon.

Covered: own user, pid, mount, network, ipc, uts and cgroup namespaces; a root file system that
holds the interpreter's files and nothing else, read-only; no capability; no new privileges; the
container seccomp profile; death with the service. As root the launcher itself becomes ``nobody``
first, so that even the host's view of a sandbox's user is an unprivileged one.
Not covered: a limit on the sandbox's memory as a whole (each run has its own, by rlimit) and the
fairness of CPU time between sandboxes; both are cgroup matters, and Docker's.
"""

import asyncio
import contextlib
import itertools
import os
import select
import shutil
import signal
import socket
import subprocess  # nosec - the launcher
import tempfile
from pathlib import Path
from typing import IO, Any, Final

from executor_service.errors import ConfigurationError, SandboxStartError
from executor_service.sandbox.backend import Protection, common_protections
from executor_service.sandbox.interpreter import Interpreter
from executor_service.sandbox.runner.scratch import SCRATCH, SCRATCH_BYTES
from executor_service.sandbox.seccomp import compile_bpf, load_profile
from executor_service.sandbox.stream import SandboxStream

_RUNNER: Final = Path(__file__).parent / "runner"
_INSIDE: Final = "/opt/azr-runner"
_BOOT: Final = (
    f"import sys; sys.path.insert(0, {_INSIDE!r}); "
    "from runner.supervisor import main; sys.path.pop(0); main()"
)
_RUN_SUPERVISOR: Final = ("-I", "-S", "-B", "-c", _BOOT)
_NOBODY: Final = 65_534
_KEPT_STDERR: Final = 4000
_END_SECONDS: Final = 5.0
"""Longest wait for a pid namespace to end; what is left then is seen by ``living``."""
_NUMBERS: Final = itertools.count(1)


class BubblewrapSandbox:
    """One bwrap process and the stream to its supervisor."""

    def __init__(
        self, process: subprocess.Popen[bytes], stream: SandboxStream, stderr: IO[bytes]
    ) -> None:
        self.stream = stream
        self.identity = f"bwrap {process.pid} ({next(_NUMBERS)})"
        self._process = process
        self._stderr = stderr
        self._first: int | None = None

    async def kill(self) -> None:
        """Kill bwrap and its child; the kernel then ends the whole pid namespace."""
        self.stream.close()
        if self._process.poll() is None:
            first = await asyncio.to_thread(_end, self._process)
            if self._first is None:
                self._first = first
            elif first is not None:
                os.close(first)
        self.left()
        self._stderr.close()

    def left(self) -> bool:
        """Tell whether bwrap, or the first process of the pid namespace, is still there.

        The kernel ends a namespace with its first process, and that one last. An orphan by then,
        it is the host's init that takes it off the list of processes, which may take a moment.
        """
        if self._process.poll() is None:
            if self._first is None:
                self._first = _first_process(self._process.pid)
            return True
        if self._first is None:
            return False
        with contextlib.suppress(ChildProcessError):
            # Ours to reap where this process is the init of a container.
            os.waitid(os.P_PIDFD, self._first, os.WEXITED | os.WNOHANG)
        try:
            signal.pidfd_send_signal(self._first, 0)
        except ProcessLookupError:
            os.close(self._first)
            self._first = None
            return False
        except PermissionError:
            pass  # it is there
        return True

    def last_words(self) -> str:
        """Return the end of what bwrap and the supervisor wrote to stderr."""
        if self._stderr.closed:
            return ""
        self._stderr.seek(0, os.SEEK_END)
        self._stderr.seek(max(self._stderr.tell() - _KEPT_STDERR, 0))
        return self._stderr.read().decode(errors="replace").strip()


class BubblewrapBackend:
    """Launches sandboxes as direct children of this process."""

    name = "bubblewrap"

    def __init__(
        self, interpreter: Interpreter, python_arguments: tuple[str, ...] | None = None
    ) -> None:
        """``python_arguments`` are what the interpreter is started with instead of the runner."""
        bwrap = shutil.which("bwrap")
        if bwrap is None:
            raise ConfigurationError("bubblewrap is not installed: apt-get install bubblewrap")
        self._bwrap = bwrap
        self._interpreter = interpreter
        self._python_arguments = python_arguments or _RUN_SUPERVISOR
        self._filter = compile_bpf(load_profile("container"))
        self._launched: set[BubblewrapSandbox] = set()
        self.drops_root = os.getuid() == 0 and interpreter.readable_by_others()

    async def launch(self) -> BubblewrapSandbox:
        """Start one sandbox."""
        ours, theirs = socket.socketpair()
        stderr = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the sandbox
        with theirs:
            try:
                process = self._start(theirs, stderr)
            except OSError as error:
                ours.close()
                stderr.close()
                raise SandboxStartError(f"bwrap does not start: {error}") from error
        ours.setblocking(False)
        loop = asyncio.get_running_loop()
        try:
            _, stream = await loop.create_connection(SandboxStream, sock=ours)
        except BaseException:
            # Cancelled: nobody else knows of this process.
            ours.close()
            first = _end(process)
            if first is not None:
                os.close(first)
            stderr.close()
            raise
        sandbox = BubblewrapSandbox(process, stream, stderr)
        self._launched = {one for one in self._launched if one.left()} | {sandbox}
        return sandbox

    def _start(self, stream: socket.socket, stderr: IO[bytes]) -> subprocess.Popen[bytes]:
        files = {path.name: _memory_file(path.read_bytes()) for path in _RUNNER.glob("*.py")}
        seccomp = _memory_file(self._filter)
        nobody = _NOBODY if self.drops_root else None
        try:
            return subprocess.Popen(  # noqa: S603
                [self._bwrap, *self._arguments(files, seccomp)],
                stdin=stream.fileno(),
                stdout=stream.fileno(),
                stderr=stderr,
                env={},
                pass_fds=[seccomp, *files.values()],
                close_fds=True,
                user=nobody,
                group=nobody,
                extra_groups=[] if self.drops_root else None,
            )
        finally:
            for descriptor in (seccomp, *files.values()):
                os.close(descriptor)

    def _arguments(self, files: dict[str, int], seccomp: int) -> list[str]:
        arguments = [
            "--unshare-all", "--unshare-user", "--disable-userns", "--die-with-parent",
            "--new-session", "--as-pid-1", "--cap-drop", "ALL", "--clearenv",
            "--hostname", "sandbox", "--uid", str(_NOBODY), "--gid", str(_NOBODY),
        ]  # fmt: skip
        for path in self._interpreter.paths():
            if path.is_symlink():
                arguments += ["--symlink", str(path.readlink()), str(path)]
            else:
                arguments += ["--ro-bind", str(path), str(path)]
        arguments += ["--proc", "/proc", "--size", str(SCRATCH_BYTES), "--tmpfs", SCRATCH]
        for device in ("/dev/null", "/dev/urandom"):
            arguments += ["--dev-bind", device, device]
        for name, descriptor in files.items():
            arguments += ["--perms", "0444", "--ro-bind-data", str(descriptor)]
            arguments += [f"{_INSIDE}/runner/{name}"]
        arguments += ["--remount-ro", "/", "--chdir", "/", "--seccomp", str(seccomp)]
        arguments += ["--", str(self._interpreter.executable), *self._python_arguments]
        return arguments

    async def sweep(self) -> int:
        """Nothing can be left behind: the kernel kills a sandbox when the service dies."""
        return 0

    async def living(self) -> set[str]:
        """Return the identities of those of which the kernel still has a process."""
        self._launched = {one for one in self._launched if one.left()}
        return {one.identity for one in self._launched}

    def protections(self, hello: dict[str, Any]) -> list[Protection]:
        """Return what is in force."""
        return [
            *common_protections(hello),
            Protection("read_only_root", True, "only the interpreter's files, read-only"),
            Protection("user_namespace", True, "with --disable-userns inside"),
            Protection(
                "unprivileged_launcher",
                self.drops_root or os.getuid() != 0,
                "bwrap runs as an ordinary user of the host",
            ),
            Protection("memory_cgroup", False, "per-run rlimits only; the docker backend has one"),
        ]


def _first_process(pid: int) -> int | None:
    """Return a pidfd of the first process of a sandbox, the only child of bwrap, if it is there."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text()
        return os.pidfd_open(int(children))
    except (OSError, ValueError):
        return None


def _end(process: subprocess.Popen[bytes]) -> int | None:
    """End bwrap and its child, and wait for both; return a pidfd of the child, if there was one.

    Killing bwrap alone is not enough: a child that is still being set up waits for it, and has not
    yet asked to die with it.
    """
    # Stopped, it makes no child between the look for one and its end.
    process.send_signal(signal.SIGSTOP)
    with contextlib.suppress(ChildProcessError):
        os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)
    first = _first_process(process.pid)
    process.send_signal(signal.SIGKILL)
    if first is not None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            signal.pidfd_send_signal(first, signal.SIGKILL)
        poll = select.poll()
        poll.register(first, select.POLLIN)
        poll.poll(_END_SECONDS * 1000)
    process.wait()
    return first


def _memory_file(data: bytes) -> int:
    descriptor = os.memfd_create("azr-runner")
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]
    os.lseek(descriptor, 0, os.SEEK_SET)
    return descriptor
