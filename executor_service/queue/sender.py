"""Putting chunks into the RQ queue: one thread, one round trip for as many as there are."""

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import redis
from rq import Queue
from rq.queue import EnqueueData
from rq.serializers import JSONSerializer

from executor_service.queue.chunks import Chunk
from executor_service.queue.keys import JOB_FUNCTION, Keys

_FAILURE_TTL: Final = 60
"""Seconds that RQ keeps the record of a chunk whose worker failed; the API sends it anew."""


class Sender:
    """Enqueues chunks for one API process."""

    def __init__(self, client: "redis.Redis", keys: Keys, api: str) -> None:
        self._client = client
        self._api = api
        self._queue = Queue(keys.queue, connection=client, serializer=JSONSerializer)
        # RQ knows no asyncio. One thread for all requests: what comes in while it is at work goes
        # out together with the next round trip.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="enqueue")

    async def send(self, chunks: Sequence[Chunk]) -> None:
        """Put ``chunks`` into the queue.

        Raises:
            redis.RedisError: Redis does not answer; they may be in the queue all the same.
        """
        await asyncio.get_running_loop().run_in_executor(self._thread, self._enqueue, chunks)

    def close(self) -> None:
        """End the thread and the connection."""
        self._thread.shutdown(wait=True, cancel_futures=True)
        self._client.close()

    def _enqueue(self, chunks: Sequence[Chunk]) -> None:
        self._queue.enqueue_many([self._data(chunk) for chunk in chunks])

    def _data(self, chunk: Chunk) -> EnqueueData:
        return Queue.prepare_data(
            JOB_FUNCTION,
            args=(chunk.payload(self._api),),
            job_id=chunk.id,
            timeout=-1,  # every run inside has its own limits
            result_ttl=0,  # results go over the reply stream
            failure_ttl=_FAILURE_TTL,
            description="chunk",  # RQ would print the arguments
        )
