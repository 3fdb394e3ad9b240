"""Jobs in this process's memory, for a service with sandboxes of its own; they end with it."""

import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from executor_service.errors import QueueFull, StoreFull
from executor_service.jobs.record import JobRecord, JobState, NewJob, Standing
from executor_service.jobs.store import (
    MAX_OPEN,
    MAX_OPEN_EACH,
    NEW_JOB_SHARE,
    RESULT_BYTES,
    over_budget,
)
from executor_service.jobs.watchers import Watchers

_ENTRY_BYTES: Final = 200
"""What a kept result costs beside its text."""


@dataclass
class _Job:
    record: JobRecord
    payload: list[bytes]
    results: dict[int, bytes]
    key: tuple[str, str] | None
    size: int
    result_bytes: int = 0
    runner: str | None = None


class MemoryJobStore:
    """Keeps jobs until a while after their end, and never more than a number of bytes."""

    def __init__(
        self, *, result_ttl: float, max_bytes: int, result_bytes: int = RESULT_BYTES
    ) -> None:
        """Keep jobs in this process.

        Args:
            result_ttl: Seconds that an ended job is kept.
            max_bytes: Most bytes of items and results of all jobs.
            result_bytes: Most bytes of JSON that the results of one job take.
        """
        self.watchers = Watchers()
        self.lease_seconds = 10.0
        self._ttl = result_ttl
        self._max_bytes = max_bytes
        self._result_bytes = result_bytes
        self._jobs: dict[str, _Job] = {}
        self._open: dict[str, _Job] = {}
        self._expiries: deque[tuple[float, str]] = deque()
        self._keys: dict[tuple[str, str], str] = {}
        self.size = 0
        """Bytes of items and results."""

    async def start(self) -> None:
        """Do nothing: the watchers are told by whoever changes a job."""

    async def close(self) -> None:
        """Do nothing: what is here ends with the process."""

    async def create(self, job: NewJob) -> JobRecord:
        """Keep a new job; return its record, or the first job's with the same idempotency key."""
        self._drop_expired()
        key = None if job.key is None else (job.owner, job.key)
        if key is not None and key in self._keys:
            return self._jobs[self._keys[key]].record
        size = sum(map(len, job.payload))
        if self.size + size > self._max_bytes * NEW_JOB_SHARE:
            raise QueueFull(
                f"jobs and their results take {self.size} bytes, of {self._max_bytes} in all",
                retry_after=self._next_expiry(),
            )
        if len(self._open) >= MAX_OPEN:
            raise QueueFull(f"{MAX_OPEN} jobs are unfinished already", retry_after=10)
        if sum(one.record.owner == job.owner for one in self._open.values()) >= MAX_OPEN_EACH:
            raise QueueFull(
                f"{MAX_OPEN_EACH} jobs of {job.owner} are unfinished already", retry_after=10
            )
        kept = _Job(job.record(), list(job.payload), {}, key, size)
        self._jobs[job.id] = self._open[job.id] = kept
        self.size += size
        if key is not None:
            self._keys[key] = job.id
        return job.record()

    async def find(self, job_id: str) -> JobRecord | None:
        """Return what is known of a job."""
        job = self._get(job_id)
        return None if job is None else job.record

    async def first(self, owner: str, key: str) -> JobRecord | None:
        """Return the job that ``owner`` has submitted with an idempotency key."""
        job_id = self._keys.get((owner, key))
        return None if job_id is None else await self.find(job_id)

    async def results(self, job_id: str, start: int, stop: int) -> list[bytes | None]:
        """Return the JSON of results ``start`` to ``stop``, None where there is none."""
        job = self._get(job_id)
        return [None if job is None else job.results.get(i) for i in range(start, stop)]

    async def end(self, job_id: str, state: JobState, message: str = "") -> JobRecord | None:
        """Cancel or fail a job, unless it has ended; return its record."""
        job = self._get(job_id)
        if job is None or job.record.state.ended:
            return None if job is None else job.record
        job.results.clear()
        self._close(job, replace(job.record, state=state, message=message), 0)
        return job.record

    async def claim(self, runner: str, most: int) -> list[JobRecord]:
        """Lease to ``runner`` unfinished jobs that nobody works on, the oldest first."""
        self._drop_expired()
        free = [job for job in self._open.values() if job.runner is None][:most]
        for job in free:
            job.runner = runner
        return [job.record for job in free]

    async def renew(self, runner: str, job_ids: Sequence[str]) -> list[str]:
        """Return the jobs that are not ``runner``'s; leases in one process do not run out."""
        return [i for i in job_ids if i not in self._jobs or self._jobs[i].runner != runner]

    async def release(self, runner: str, job_id: str) -> None:
        """Give a lease back."""
        job = self._jobs.get(job_id)
        if job is not None and job.runner == runner:
            job.runner = None

    async def piece(self, job_id: str, number: int) -> bytes | None:
        """Return a packed piece of the items."""
        job = self._jobs.get(job_id)
        return job.payload[number] if job is not None and number < len(job.payload) else None

    async def answered(self, job_id: str) -> set[int]:
        """Return the indices of the items that have a result."""
        job = self._jobs.get(job_id)
        return set() if job is None else set(job.results)

    async def save(self, runner: str, job_id: str, results: Mapping[int, bytes]) -> Standing | None:
        """Keep results; the first one of each item counts."""
        job = self._get(job_id)
        if job is None:
            return None
        if not job.record.state.ended:
            if job.runner != runner:
                return None
            if not self._keep(job, {i: t for i, t in results.items() if i not in job.results}):
                await self.end(job_id, JobState.FAILED, over_budget(self._result_bytes))
                return job.record.standing
            job.record = replace(job.record, state=JobState.RUNNING, done=len(job.results))
            if job.record.done == job.record.total:
                kept = job.result_bytes + _ENTRY_BYTES * job.record.total
                self._close(job, replace(job.record, state=JobState.FINISHED), kept)
            else:
                self.watchers.tell(job_id, job.record.standing)
        return job.record.standing

    def _keep(self, job: _Job, results: dict[int, bytes]) -> bool:
        """Keep new results, or none and return False where they are too many for one job.

        Raises:
            StoreFull: They are too many for the store.
        """
        size = sum(map(len, results.values()))
        if job.result_bytes + size > self._result_bytes:
            return False
        room = size + _ENTRY_BYTES * len(results)
        if results and self.size + room > self._max_bytes:
            raise StoreFull(
                f"all jobs together take the {self._max_bytes} bytes of EXECUTOR_JOB_MEMORY_BYTES"
            )
        job.results |= results
        job.result_bytes += size
        self._grow(job, room)
        return True

    def _close(self, job: _Job, record: JobRecord, size: int) -> None:
        job.record = record
        job.payload.clear()
        job.runner = None
        del self._open[record.id]
        self._expiries.append((time.monotonic() + self._ttl, record.id))
        self._grow(job, size - job.size)
        self.watchers.tell(record.id, record.standing)

    def _get(self, job_id: str) -> _Job | None:
        self._drop_expired()
        return self._jobs.get(job_id)

    def _drop_expired(self) -> None:
        now = time.monotonic()
        while self._expiries and self._expiries[0][0] <= now:
            job = self._jobs.pop(self._expiries.popleft()[1])
            self.size -= job.size
            if job.key is not None:
                del self._keys[job.key]

    def _next_expiry(self) -> float:
        return max(1.0, self._expiries[0][0] - time.monotonic()) if self._expiries else 10.0

    def _grow(self, job: _Job, size: int) -> None:
        job.size += size
        self.size += size
