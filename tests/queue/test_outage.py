"""What is said of a Redis that does not do its work."""

import pytest
import redis

from executor_service.queue.outage import describe


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (redis.ConnectionError("Connection refused"), "Redis cannot be reached"),
        (redis.TimeoutError("OOM "), "Redis cannot be reached"),
        (redis.OutOfMemoryError("command not allowed"), "Redis is out of memory"),
        (redis.ResponseError("Command # 1 (SET) caused error: OOM command"), "Redis is out of mem"),
        (redis.ResponseError("MISCONF Errors writing to the AOF file"), "Redis refuses to work"),
        (redis.AuthenticationError("WRONGPASS"), "Redis refuses the service's password"),
        (redis.ReadOnlyError("You can't write"), "Redis is read-only"),
    ],
)
def test_each_kind_of_outage_is_called_what_it_is(error, said):
    assert describe(error).startswith(said)
