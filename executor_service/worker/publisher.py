"""Sending messages to the API processes: in order, together, and again until Redis takes them.

Each stream has a writer of its own, so that one whose API is gone, or whose messages Redis refuses,
holds up no other. Nothing is kept for ever: what Redis refuses is dropped when the API process is
gone or after some time, and that API then sends the chunk again, if it lives.
"""

import asyncio
import contextvars
import itertools
import json
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any, Final

import redis
from redis.asyncio import Redis

from executor_service.queue.chunks import Message
from executor_service.queue.tasks import end_tasks
from executor_service.worker.trouble import where

log = logging.getLogger(__name__)

LARGEST_MESSAGE: Final = 32 * 2**20
"""Bytes of the largest message that should be put; Redis itself takes 512 MiB and no more."""
_ENTRY_BYTES: Final = 4 * 2**20
"""Bytes of an entry of a stream, unless a single message has more."""
_TOGETHER: Final = 200
"""Messages in one entry of a stream."""
_FIELD: Final = "m"
_PAUSE_S: Final = 0.5
_LONGEST_STREAM: Final = 100_000
"""Entries that a stream nobody reads may hold."""
_STREAM_TTL_S: Final = 60


def encode(message: Message) -> str:
    """Return a message as it travels: JSON in ASCII, a byte for each character."""
    return json.dumps(message, separators=(",", ":"))


class _Outbox:
    """What waits for one stream, and the task that writes it."""

    def __init__(self) -> None:
        self.waiting: deque[tuple[int, str]] = deque()
        self.moved = asyncio.Event()
        """Set when something has been written or dropped, and then replaced."""
        self.task: asyncio.Task[None] | None = None

    def entry(self) -> list[str]:
        """Return the messages for the next entry; they stay until ``leave``."""
        texts: list[str] = []
        size = 0
        for _, text in itertools.islice(self.waiting, _TOGETHER):
            size += len(text)
            if texts and size > _ENTRY_BYTES:
                break
            texts.append(text)
        return texts

    def leave(self, count: int) -> None:
        """Forget the first ``count`` messages."""
        for _ in range(count):
            self.waiting.popleft()
        self.moved.set()
        self.moved = asyncio.Event()


class Publisher:
    """Writes messages to reply streams; while one write is under way the next ones gather."""

    def __init__(
        self, client: "Redis", *, gone: Callable[[str], Awaitable[bool]], patience: float
    ) -> None:
        """Write nothing yet.

        Args:
            client: A connection to Redis.
            gone: Tells whether nobody will read a stream any more.
            patience: Seconds for which messages that Redis refuses are kept.
        """
        self.dropped = 0
        """Messages that were given up since the start."""
        self._client = client
        self._gone = gone
        self._patience = patience
        self._numbers = itertools.count()
        self._outboxes: dict[str, _Outbox] = {}
        # Writers serve all chunks: their records must not bear the request that woke them.
        self._context = contextvars.copy_context()

    def put(self, stream: str, text: str) -> int:
        """Have an encoded message written to ``stream``; return its number for ``written``."""
        number = next(self._numbers)
        outbox = self._outboxes.setdefault(stream, _Outbox())
        outbox.waiting.append((number, text))
        if outbox.task is None:
            outbox.task = asyncio.get_running_loop().create_task(
                self._write_out(stream, outbox), context=self._context.copy()
            )
        return number

    async def written(self, stream: str, number: int) -> None:
        """Wait until the message ``number`` of ``stream`` is in Redis, or has been dropped."""
        while (outbox := self._outboxes.get(stream)) is not None:
            if not outbox.waiting or outbox.waiting[0][0] > number:
                return
            await outbox.moved.wait()

    async def close(self) -> None:
        """Stop writing; what waits is lost."""
        await end_tasks([box.task for box in self._outboxes.values() if box.task is not None])

    async def _write_out(self, stream: str, outbox: _Outbox) -> None:
        """Write until nothing waits; whatever goes wrong, go on."""
        loop = asyncio.get_running_loop()
        refused_since: float | None = None
        complained = False
        while outbox.waiting:
            try:
                texts = outbox.entry()
                await self._write(stream, texts)
            except Exception as error:
                away = isinstance(error, redis.ConnectionError | redis.TimeoutError | OSError)
                if not complained:
                    # Only that Redis is away is said in its words: others may quote the message.
                    said = str(error) if away else where(error)
                    log.warning("results cannot be sent yet: %s", said)
                complained = True
                if away:
                    # Redis is away. It keeps its streams over a restart, and so must we ours.
                    refused_since = None
                else:
                    refused_since = refused_since or loop.time()
                    if await self._hopeless(stream, loop.time() - refused_since):
                        self._drop(stream, outbox)
                        refused_since, complained = None, False
                        continue
                await asyncio.sleep(_PAUSE_S)
            else:
                refused_since, complained = None, False
                outbox.leave(len(texts))
        # Without an await since the look at what waits: no message can have come between.
        del self._outboxes[stream]

    async def _write(self, stream: str, texts: list[str]) -> None:
        pipeline: Any = self._client.pipeline(transaction=False)
        text = f"[{','.join(texts)}]"
        pipeline.xadd(stream, {_FIELD: text}, maxlen=_LONGEST_STREAM, approximate=True)
        # Where the API process is gone, its stream goes too.
        pipeline.expire(stream, _STREAM_TTL_S, nx=True)
        added, _ = await pipeline.execute(raise_on_error=False)
        if isinstance(added, Exception):
            raise added

    async def _hopeless(self, stream: str, refused: float) -> bool:
        """Tell whether messages refused for so many seconds are better given up."""
        if refused > self._patience:
            return True
        try:
            return await self._gone(stream)
        except Exception:  # nobody can tell
            return False

    def _drop(self, stream: str, outbox: _Outbox) -> None:
        count = len(outbox.waiting)
        log.error("%d messages for %s are given up: Redis refuses them", count, stream)
        self.dropped += count
        outbox.leave(count)
