"""The RQ worker: takes chunks, one at a time, and leaves the work to its process's event loop.

Several of them, a thread each, share one process and its sandbox pool: while one does RQ's
bookkeeping, the others' chunks keep the sandboxes busy.
"""

import contextlib
import contextvars
import logging
import threading
import time
from collections.abc import Callable
from typing import Any, Final

import redis
from rq import Queue, SimpleWorker
from rq.job import Job
from rq.serializers import JSONSerializer
from rq.timeouts import BaseDeathPenalty

from executor_service.worker.chunk_job import ChunkJob
from executor_service.worker.job import CARRY_OUT
from executor_service.worker.trouble import where

log = logging.getLogger(__name__)

_DEQUEUE_S: Final = 2
"""Seconds a worker waits for a job before it looks whether it is to stop."""
_PAUSE_S: Final = 1.0
_READY_PAUSE_S: Final = 0.05
_BURST_PATIENCE_S: Final = 10.0
"""Seconds a burst worker waits for a sandbox before it leaves what is queued to others."""
_HEARTBEAT_S: Final = 30.0
"""Seconds between two signs of life for RQ while there is no sandbox."""


class NoDeathPenalty(BaseDeathPenalty):
    """RQ's alarm, which needs the main thread, is of no use: every run has limits of its own."""

    def setup_death_penalty(self) -> None:
        """Do nothing."""

    def cancel_death_penalty(self) -> None:
        """Do nothing."""


class SandboxWorker(SimpleWorker):
    """A ``SimpleWorker`` that may live in any thread."""

    death_penalty_class = NoDeathPenalty
    max_connection_wait_time = 2.0
    """Longest pause, in seconds, before RQ tries Redis again."""
    ready: Callable[[], bool] = staticmethod(lambda: True)
    """Tells whether a job that is taken now could be carried out."""

    @property
    def dequeue_timeout(self) -> int:
        """Return the seconds that one wait for a job lasts."""
        return _DEQUEUE_S

    def stop(self) -> None:
        """Take no further job."""
        self._stop_requested = True

    def dequeue_job_and_maintain_ttl(
        self, timeout: int | None, max_idle_time: int | None = None
    ) -> Any:
        """Wait for a job; None once this worker is to stop, or, without ``timeout``, at once.

        While there is no sandbox no job is taken: other workers have some, perhaps.
        """
        while not self._stop_requested:
            if not self._wait_until_ready(_BURST_PATIENCE_S if timeout is None else None):
                return None
            result = super().dequeue_job_and_maintain_ttl(timeout, max_idle_time=_DEQUEUE_S)
            if result is not None or timeout is None:
                return result
        return None

    def _wait_until_ready(self, patience: float | None) -> bool:
        """Wait for a sandbox, ``patience`` seconds or as long as it takes; False: take no job."""
        began = heard = time.monotonic()
        while not self.ready():
            now = time.monotonic()
            if self._stop_requested or (patience is not None and now - began > patience):
                return False
            if now - heard > _HEARTBEAT_S:
                heard = now
                with contextlib.suppress(redis.RedisError):
                    self.heartbeat()
            time.sleep(_READY_PAUSE_S)
        return True

    def handle_exception(self, job: Job, *exc_info: Any) -> None:
        """Log that a job failed, and, unlike RQ, not its arguments: they are clients' programs."""
        log.error("job %s failed: %s", job.id, where(exc_info[1]))

    def subscribe(self) -> None:
        """Leave RQ's own command channel alone: it takes a thread per worker."""

    def unsubscribe(self) -> None:
        """Do nothing; see ``subscribe``."""

    def _install_signal_handlers(self) -> None:
        """Leave signals to the process: this may not be the main thread."""


class Feeder(threading.Thread):
    """A thread with an RQ worker in it."""

    def __init__(
        self, client: "redis.Redis", queue: str, name: str, carry_out: Callable[[str], Any],
        *, ready: Callable[[], bool], burst: bool,
    ) -> None:  # fmt: skip
        # A daemon: a second signal ends the process whatever its chunk is at.
        super().__init__(name=f"feeder-{name}", daemon=True)
        self._client = client
        self._queue = queue
        self._worker_name = name
        self._carry_out = carry_out
        self._ready = ready
        self._burst = burst
        # What its maker's log records say (the worker) is on this thread's and its chunks' too.
        self._context = contextvars.copy_context()
        self._stopping = threading.Event()
        self._worker: SandboxWorker | None = None

    def stop(self) -> None:
        """Finish the chunk in hand and end."""
        self._stopping.set()
        if self._worker is not None:
            self._worker.stop()

    def run(self) -> None:
        """Take jobs; begin again after whatever trouble RQ has."""
        self._context.run(self._take_jobs)

    def _take_jobs(self) -> None:
        CARRY_OUT.set(self._carry_out)
        number = 0
        while not self._stopping.is_set():
            number += 1
            try:
                self._work(f"{self._worker_name}-{number}")
            except (redis.RedisError, OSError) as error:
                log.warning("RQ's worker ended: %s", error)
            except Exception as error:
                log.error("RQ's worker ended: %s", where(error))
            if self._burst:
                return
            if not self._stopping.is_set():
                time.sleep(_PAUSE_S)

    def _work(self, name: str) -> None:
        queue = Queue(
            self._queue, connection=self._client, job_class=ChunkJob, serializer=JSONSerializer
        )
        self._worker = SandboxWorker(
            [queue],
            name=name,
            job_class=ChunkJob,
            connection=self._client,
            serializer=JSONSerializer,
            log_job_description=False,
        )
        self._worker.ready = self._ready
        if self._stopping.is_set():
            return
        self._worker.work(burst=self._burst, logging_level="WARNING")
