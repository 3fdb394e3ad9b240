"""The in-process executor of `compare.py`: workers that ``exec``, and are used again.

This is what most trainers do, and it is unsafe: a program can do to its worker, and to this
machine, whatever the benchmark's user may. It stands here to be compared with.
"""

import contextlib
import io
import json
import multiprocessing
import queue
import resource
import signal
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Connection
from typing import Any, Final

from compare_scripts import End

MEMORY_BYTES: Final = 1 << 30
_GRACE_S: Final = 2.0


def work(connection: "Connection[Any, Any]") -> None:
    """Run scripts as they come, in this process, until the other side hangs up."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    signal.signal(signal.SIGALRM, _too_late)
    connection.send_bytes(b"ready")
    while True:
        try:
            source, seconds = json.loads(connection.recv_bytes())
        except EOFError:
            return
        said, stdout = "", io.StringIO()
        with contextlib.redirect_stdout(stdout), contextlib.redirect_stderr(io.StringIO()):
            try:
                signal.setitimer(signal.ITIMER_REAL, seconds)
                exec(source, {"__name__": "__main__"})  # noqa: S102 - what is compared with
            except BaseException as error:  # whatever a program raises
                said = f"{type(error).__name__}: {error}"
            finally:
                signal.setitimer(signal.ITIMER_REAL, 0)
        connection.send_bytes(json.dumps([said, stdout.getvalue()]).encode())


def _too_late(*_: object) -> None:
    raise TimeoutError("timeout")


class _Worker:
    """One worker process, and the pipe to it."""

    def __init__(self, context: Any) -> None:
        self._connection, theirs = context.Pipe()
        self._process = context.Process(target=work, args=(theirs,), daemon=True)
        self._process.start()
        theirs.close()
        self._ready = False

    def run(self, source: str, seconds: float) -> End | None:
        """Run one script; None: the worker is of no use any more."""
        try:
            if not self._ready:  # how long it takes to start is not the program's time
                self._connection.recv_bytes()
                self._ready = True
            self._connection.send_bytes(json.dumps([source, seconds]).encode())
            if not self._connection.poll(seconds + _GRACE_S):
                return None
            # JSON: what a worker sends is as little to be trusted as the programs it ran.
            said, stdout = json.loads(self._connection.recv_bytes())
        except (OSError, EOFError, ValueError):
            return None
        return End(1 if said else 0, str(stdout), str(said))

    def end(self) -> None:
        self._process.kill()
        self._process.join()
        self._connection.close()


class ExecPool:
    """Workers that run scripts by ``exec``, each many of them; one that dies is replaced."""

    def __init__(self, workers: int) -> None:
        self._context = multiprocessing.get_context("forkserver")
        self._workers = workers
        # Last in, first out: scripts that come one after another meet the same worker.
        self._free: queue.LifoQueue[_Worker] = queue.LifoQueue()
        self.threads = ThreadPoolExecutor(workers)
        self._fill()

    def run(self, source: str, seconds: float) -> End:
        """Run one script and wait for its end."""
        worker = self._free.get()
        try:
            end = worker.run(source, seconds)
            if end is None:
                worker.end()
                worker = _Worker(self._context)
        finally:
            self._free.put(worker)
        return end or End(None, "", "the worker died, or did not answer")

    def renew(self) -> None:
        """Replace all workers; none may be at work."""
        self._drain()
        self._fill()

    def close(self) -> None:
        """End all workers."""
        self.threads.shutdown()
        self._drain()

    def _fill(self) -> None:
        for _ in range(self._workers):
            self._free.put(_Worker(self._context))

    def _drain(self) -> None:
        while not self._free.empty():
            self._free.get().end()
