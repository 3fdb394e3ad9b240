"""What is known of a job, apart from its items and its results."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Final

CHUNK_ITEMS: Final = 64
"""Items in each piece of a job's payload but the last; a piece is also what is fed at once."""


class JobState(StrEnum):
    """Where a job stands; the last three are for good."""

    QUEUED = "queued"
    RUNNING = "running"
    FINISHED = "finished"
    CANCELLED = "cancelled"
    FAILED = "failed"

    @property
    def ended(self) -> bool:
        """Tell whether nothing will change any more."""
        return self not in (JobState.QUEUED, JobState.RUNNING)


@dataclass(frozen=True, slots=True)
class Standing:
    """How far a job has come."""

    state: JobState
    done: int
    """Items that have a result."""


@dataclass(frozen=True, slots=True)
class JobRecord:
    """A job as its store knows it."""

    id: str
    owner: str
    """Name of the key that submitted it; nobody else sees it."""
    total: int
    """Items."""
    digest: str
    """SHA-256 of the request's body, in hexadecimal digits."""
    request_id: str = ""
    """Identifies the request that submitted it in the logs of every process."""
    state: JobState = JobState.QUEUED
    done: int = 0
    message: str = ""
    """Why it failed."""

    @property
    def chunks(self) -> int:
        """Return the number of pieces of the payload."""
        return -(-self.total // CHUNK_ITEMS)

    @property
    def standing(self) -> Standing:
        """Return how far it has come."""
        return Standing(self.state, self.done)

    def at(self, standing: Standing) -> "JobRecord":
        """Return this job further on; what is older than this record changes nothing."""
        if self.state.ended or (not standing.state.ended and standing.done < self.done):
            return self
        return replace(self, state=standing.state, done=standing.done)

    def document(self) -> dict[str, Any]:
        """Return the job without its results, as clients see it."""
        shown = {"job_id": self.id, "state": self.state, "done": self.done, "total": self.total}
        return shown | {"message": self.message} if self.message else shown


@dataclass(frozen=True, slots=True)
class NewJob:
    """A job that is being handed in."""

    owner: str
    total: int
    digest: str
    payload: Sequence[bytes]
    """The items in pieces of ``CHUNK_ITEMS``, as ``payload.pack`` made them."""
    key: str | None = None
    """Idempotency key; a second job of this owner with the same one is the first."""
    request_id: str = ""
    id: str = field(default_factory=lambda: uuid.uuid4().hex)

    def record(self) -> JobRecord:
        """Return the record that the job begins with."""
        return JobRecord(self.id, self.owner, self.total, self.digest, self.request_id)
