"""The RQ worker: takes chunks, one at a time, and leaves the work to its process's event loop.

Several of them, a thread each, share one process and its sandbox pool: while one does RQ's
bookkeeping, the others' chunks keep the sandboxes busy.
"""

import logging
import threading
import time
from collections.abc import Callable
from typing import Any, Final

import redis
from rq import Queue, SimpleWorker
from rq.serializers import JSONSerializer
from rq.timeouts import BaseDeathPenalty

from executor_service.worker.chunk_job import ChunkJob
from executor_service.worker.job import CARRY_OUT

log = logging.getLogger(__name__)

_DEQUEUE_S: Final = 2
"""Seconds a worker waits for a job before it looks whether it is to stop."""
_PAUSE_S: Final = 1.0


class NoDeathPenalty(BaseDeathPenalty):
    """RQ's alarm, which needs the main thread, is of no use: every run has limits of its own."""

    def setup_death_penalty(self) -> None:
        """Do nothing."""

    def cancel_death_penalty(self) -> None:
        """Do nothing."""


class SandboxWorker(SimpleWorker):
    """A ``SimpleWorker`` that may live in any thread."""

    death_penalty_class = NoDeathPenalty

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
        """Wait for a job; None once this worker is to stop, or, without ``timeout``, at once."""
        while not self._stop_requested:
            result = super().dequeue_job_and_maintain_ttl(timeout, max_idle_time=_DEQUEUE_S)
            if result is not None or timeout is None:
                return result
        return None

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
        *, burst: bool,
    ) -> None:  # fmt: skip
        # A daemon: a second signal ends the process whatever its chunk is at.
        super().__init__(name=f"feeder-{name}", daemon=True)
        self._client = client
        self._queue = queue
        self._worker_name = name
        self._carry_out = carry_out
        self._burst = burst
        self._stopping = threading.Event()
        self._worker: SandboxWorker | None = None

    def stop(self) -> None:
        """Finish the chunk in hand and end."""
        self._stopping.set()
        if self._worker is not None:
            self._worker.stop()

    def run(self) -> None:
        """Take jobs; begin again after whatever trouble RQ has with Redis."""
        CARRY_OUT.set(self._carry_out)
        number = 0
        while not self._stopping.is_set():
            number += 1
            try:
                self._work(f"{self._worker_name}-{number}")
            except (redis.RedisError, OSError) as error:
                log.warning("RQ's worker ended: %s", error)
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
        if self._stopping.is_set():
            return
        self._worker.work(burst=self._burst, logging_level="WARNING")
