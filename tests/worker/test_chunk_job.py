"""What stands in the queue never chooses what a worker calls."""

import pytest
import redis
from rq.job import Callback
from rq.serializers import JSONSerializer

from executor_service.queue.keys import JOB_FUNCTION
from executor_service.worker.chunk_job import ChunkJob, ForeignJobError
from executor_service.worker.job import carry_out


def job(function: str, **options) -> ChunkJob:
    """A job that nobody has stored yet; its connection is never used."""
    return ChunkJob.create(
        function, args=("{}",), connection=redis.Redis(), serializer=JSONSerializer, **options
    )


def test_a_chunk_is_carried_out():
    assert job(JOB_FUNCTION).func is carry_out


@pytest.mark.parametrize("function", ["os.system", "executor_service.worker.job.CARRY_OUT.set"])
def test_a_job_that_names_something_else_is_refused(function):
    with pytest.raises(ForeignJobError):
        job(function)._execute()


def test_a_method_of_an_object_in_the_queue_is_refused():
    foreign = job(JOB_FUNCTION)
    foreign.instance = "text"
    with pytest.raises(ForeignJobError):
        foreign._execute()


def test_callbacks_are_not_called():
    system = Callback("os.system")
    named = job(JOB_FUNCTION, on_success=system, on_failure=system, on_stopped=system)
    assert named._success_callback_name == "os.system"
    assert (named.success_callback, named.failure_callback, named.stopped_callback) == (None,) * 3
