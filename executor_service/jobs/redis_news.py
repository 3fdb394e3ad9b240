"""Changes of jobs from all processes: one subscription per process, however many watch."""

import asyncio
import contextlib
import logging
from typing import Any, Final

import redis
from redis.asyncio import Redis
from redis.asyncio.client import PubSub

from executor_service.errors import InfrastructureError
from executor_service.jobs.record import JobState, Standing
from executor_service.jobs.redis_calls import reachable
from executor_service.jobs.watchers import Watchers

log = logging.getLogger(__name__)
_SILENCE_S: Final = 5.0
"""Silence after which the connection is asked whether it is still one."""
_AGAIN_S: Final = 0.5


class RedisNews:
    """Listens on a channel and tells the watchers of this process."""

    def __init__(self, client: Redis, channel: str, watchers: Watchers) -> None:
        self._client = client
        self._channel = channel
        self._watchers = watchers
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to listen, unless it does already; Redis may come later."""
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._listen())

    async def close(self) -> None:
        """Stop."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            self._task = None

    async def _listen(self) -> None:
        while True:
            try:
                async with self._client.pubsub() as subscription:
                    with reachable():
                        await subscription.subscribe(self._channel)
                    await self._pass_on(subscription)
            except (InfrastructureError, redis.RedisError, OSError) as error:
                log.info("news of jobs is interrupted: %s", error)
            except Exception:
                # Whoever may write to this Redis may publish; no message ends the listening.
                log.exception("news of jobs is interrupted by what was not foreseen")
            await asyncio.sleep(_AGAIN_S)

    async def _pass_on(self, subscription: PubSub) -> None:
        """Pass news on until the connection fails or does not answer."""
        asked = False
        while True:
            with reachable():
                message = await subscription.get_message(timeout=_SILENCE_S)
            if message is not None:
                asked = False
                self._tell(message)
            elif asked:
                raise InfrastructureError("Redis does not answer")
            else:
                asked = True
                with reachable():
                    await subscription.ping()

    def _tell(self, message: dict[str, Any]) -> None:
        if message["type"] == "subscribe":
            self._watchers.tell_all()  # something may have been missed before
        elif message["type"] == "message":
            job_id, state, done = message["data"].decode("ascii").split(" ")
            self._watchers.tell(job_id, Standing(JobState(state), int(done)))
