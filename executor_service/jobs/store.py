"""Where jobs are kept: in this process, or in Redis where they outlive it."""

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Final, Protocol

from executor_service.errors import InfrastructureError
from executor_service.jobs.record import JobRecord, JobState, NewJob, Standing
from executor_service.jobs.watchers import Watchers

MAX_OPEN: Final = 1000
"""Jobs that may be unfinished at once; more are refused."""
MAX_OPEN_EACH: Final = 100
"""Jobs of one owner that may be: nobody locks the others out."""
RESULT_BYTES: Final = 256 << 20
"""Bytes of JSON that the results of one job may take, unless a setting says otherwise."""
NEW_JOB_SHARE: Final = 0.75
"""Share of the store's memory above which no new job is taken: those there are need the rest."""


def over_budget(most: int) -> str:
    """Return why a job has failed whose results take more than ``most`` bytes."""
    return f"its results take more than the {most} bytes of EXECUTOR_JOB_RESULT_BYTES"


class JobStore(Protocol):
    """Keeps jobs, their items and their results, and says which runner works on which.

    Every method raises InfrastructureError where the store cannot be reached; what was to be
    changed may have been changed all the same.
    """

    watchers: Watchers
    """Who in this process hears of changes, whichever process makes them."""
    lease_seconds: float
    """Time after which a runner that is silent has lost its jobs."""

    async def start(self) -> None:
        """Begin to tell the watchers, unless it has begun."""

    async def close(self) -> None:
        """Stop telling them."""

    async def create(self, job: NewJob) -> JobRecord:
        """Keep a new job; return its record, or the first job's with the same idempotency key.

        Raises:
            QueueFull: There is no room for it.
        """

    async def find(self, job_id: str) -> JobRecord | None:
        """Return what is known of a job, or None where it is not known, or not any more."""

    async def first(self, owner: str, key: str) -> JobRecord | None:
        """Return the job that ``owner`` has submitted with an idempotency key."""

    async def results(self, job_id: str, start: int, stop: int) -> list[bytes | None]:
        """Return the JSON of results ``start`` to ``stop``, None where there is none."""

    async def end(self, job_id: str, state: JobState, message: str = "") -> JobRecord | None:
        """Cancel or fail a job, unless it has ended; items and results go. Return its record."""

    async def claim(self, runner: str, most: int) -> list[JobRecord]:
        """Lease to ``runner`` unfinished jobs that nobody works on, the oldest first."""

    async def renew(self, runner: str, job_ids: Sequence[str]) -> list[str]:
        """Renew leases, those that ran out too; return the jobs that are not ``runner``'s now."""

    async def release(self, runner: str, job_id: str) -> None:
        """Give a lease back."""

    async def piece(self, job_id: str, number: int) -> bytes | None:
        """Return a packed piece of the items."""

    async def answered(self, job_id: str) -> set[int]:
        """Return the indices of the items that have a result."""

    async def save(self, runner: str, job_id: str, results: Mapping[int, bytes]) -> Standing | None:
        """Keep results as JSON; the first one of each item counts. The job is running now.

        With the last one the job is finished; if they are too many bytes for one job it has
        failed. Return how the job stands, which may be ended, or None where it is not the
        runner's or has gone; then nothing was kept.

        Raises:
            StoreFull: There is no room for them now.
        """


async def follow(
    store: JobStore, job_id: str, *, quiet: float, gap: float = 0.0, client: bool = False
) -> AsyncGenerator[JobRecord, None]:
    """Yield a job's record: now, at each change, and after ``quiet`` seconds without any.

    Ends after the record of a job that has ended, or when the job has gone; for a ``client`` also
    when this process is about to end. Changes within ``gap`` seconds come as one.

    Raises:
        InfrastructureError: The store cannot be reached at the start; later that is waited for.
    """
    with store.watchers.watch(job_id) as watch:
        record = await store.find(job_id)
        while record is not None:
            yield record
            if record.state.ended or (client and store.watchers.dismissed):
                return
            await asyncio.sleep(gap)
            standing = None
            try:
                async with asyncio.timeout(quiet):
                    standing = await watch.news()
            except TimeoutError:
                pass  # perhaps news was lost on the way
            if standing is not None:
                record = record.at(standing)
                continue
            try:
                record = await store.find(job_id)
            except InfrastructureError:
                continue  # with what was known last
