"""What a worker makes of a job that it finds in the queue: a chunk, or nothing.

A job of RQ names what is to be called, before and after, and a plain RQ worker calls it, whatever
it is. Redis is shared with the API, which many can talk to, while a worker may stand next to a
Docker daemon. So whoever can write into the queue must not thereby choose what a worker runs.
"""

from collections.abc import Callable
from typing import Any

from rq.job import Job

from executor_service.queue.keys import JOB_FUNCTION
from executor_service.worker.job import carry_out


class ForeignJobError(Exception):
    """A job that asks for something else than carrying out a chunk; RQ records it as failed."""


class ChunkJob(Job):
    """A job of which a worker takes the arguments and nothing to call."""

    @property
    def func(self) -> Callable[[str], None]:
        """Return what carries out chunks, and import nothing that the job names.

        Raises:
            ForeignJobError: The job names something else.
        """
        if self.func_name != JOB_FUNCTION or self.instance is not None:
            raise ForeignJobError(f"job {self.id} is no chunk")
        return carry_out

    @property
    def success_callback(self) -> Any:
        """Return None: chunks have no callbacks."""
        return None

    @property
    def failure_callback(self) -> Any:
        """Return None: chunks have no callbacks."""
        return None

    @property
    def stopped_callback(self) -> Any:
        """Return None: chunks have no callbacks."""
        return None
