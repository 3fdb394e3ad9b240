"""Names in Redis. Everything starts with the queue's name, so that stacks can share a server."""

from dataclasses import dataclass
from typing import Final

JOB_FUNCTION: Final = "executor_service.worker.job.carry_out"
"""What a worker runs for a chunk, by name: the API does not import it."""


@dataclass(frozen=True)
class Keys:
    """The keys of one stack."""

    prefix: str

    @property
    def queue(self) -> str:
        """Return the name of the RQ queue."""
        return self.prefix

    @property
    def queue_list(self) -> str:
        """Return the key under which RQ keeps the ids of the jobs that wait."""
        return f"rq:queue:{self.prefix}"

    @property
    def control(self) -> str:
        """Return the pub/sub channel on which the API says which chunks are given up."""
        return f"{self.prefix}:control"

    @property
    def workers(self) -> str:
        """Return the set of the workers' names, some of which may be dead."""
        return f"{self.prefix}:workers"

    def worker(self, name: str) -> str:
        """Return the key that lives as long as the worker ``name`` does."""
        return f"{self.prefix}:worker:{name}"

    def metrics(self, worker: str) -> str:
        """Return the key of a worker's latest metrics."""
        return f"{self.prefix}:worker-metrics:{worker}"

    def api(self, name: str) -> str:
        """Return the key that lives as long as the API process ``name`` does."""
        return f"{self.prefix}:api:{name}"

    def replies(self, api: str) -> str:
        """Return the stream on which the API process ``api`` gets its results."""
        return f"{self.prefix}:replies:{api}"
