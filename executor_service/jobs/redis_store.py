"""Jobs in Redis, shared by all API processes; they outlive each of them.

For jobs to survive a crash of Redis itself, it needs its append-only file.
"""

import hashlib
import time
from collections.abc import Mapping, Sequence
from typing import Any, Final

from redis.asyncio import Redis
from redis.commands.core import AsyncScript

from executor_service.errors import InfrastructureError, QueueFull, StoreFull
from executor_service.jobs import redis_scripts
from executor_service.jobs.record import JobRecord, JobState, NewJob, Standing
from executor_service.jobs.redis_calls import reachable
from executor_service.jobs.redis_news import RedisNews
from executor_service.jobs.store import (
    MAX_OPEN,
    MAX_OPEN_EACH,
    NEW_JOB_SHARE,
    RESULT_BYTES,
    over_budget,
)
from executor_service.jobs.watchers import Watchers

_OPEN_MS: Final = 7 * 86_400_000
"""Time after which a job is forgotten that no runner works on: nothing may stay for ever."""
_UPLOAD_S: Final = 600
"""Time that the items of a job may be there without the job."""
_UPLOAD_BYTES: Final = 4 << 20
_RESULTS_SHARE: Final = 0.85
"""Share of Redis's memory above which no results are taken: the queue needs the rest."""


class RedisJobStore:
    """Keeps jobs under ``PREFIX:job:*`` and ``PREFIX:jobs:*``."""

    def __init__(
        self,
        client: Redis,
        prefix: str,
        *,
        result_ttl: float,
        result_bytes: int = RESULT_BYTES,
        lease_seconds: float = 10.0,
    ) -> None:
        """Keep jobs in the Redis of ``client``, which stays the caller's to close.

        Args:
            client: Answers in bytes (``decode_responses`` is off).
            prefix: Name of the stack.
            result_ttl: Seconds that an ended job is kept.
            result_bytes: Most bytes of JSON that the results of one job take.
            lease_seconds: Seconds of silence after which a runner has lost its jobs.
        """
        self.watchers = Watchers()
        self.lease_seconds = lease_seconds
        self._client = client
        self._ttl_ms = int(result_ttl * 1000)
        self._result_bytes = result_bytes
        self._lease_ms = int(lease_seconds * 1000)
        self._job = f"{prefix}:job:"
        self._firsts = f"{prefix}:jobs:first:"
        self._keys = (f"{prefix}:jobs:news", f"{prefix}:jobs:open")
        self._news = RedisNews(client, self._keys[0], self.watchers)
        self._create = client.register_script(redis_scripts.CREATE)
        self._end = client.register_script(redis_scripts.END)
        self._claim = client.register_script(redis_scripts.CLAIM)
        self._renew = client.register_script(redis_scripts.RENEW)
        self._release = client.register_script(redis_scripts.RELEASE)
        self._save = client.register_script(redis_scripts.SAVE)

    async def start(self) -> None:
        """Begin to listen for changes that any process makes."""
        await self._news.start()

    async def close(self) -> None:
        """Stop listening."""
        await self._news.close()

    async def create(self, job: NewJob) -> JobRecord:
        """Keep a new job; return its record, or the first job's with the same idempotency key."""
        first = "" if job.key is None else self._first(job.owner, job.key)
        fields = {
            "owner": job.owner,
            "total": job.total,
            "digest": job.digest,
            "request_id": job.request_id,
            "state": JobState.QUEUED,
            "done": 0,
            "message": "",
        }
        with reachable():
            await self._need_memory(sum(map(len, job.payload)))
            await self._upload(job)
        kept = await self._run(
            self._create,
            *(job.id, first, MAX_OPEN, MAX_OPEN_EACH, job.owner, time.time(), _OPEN_MS),
            *(part for field in fields.items() for part in field),
        )
        if kept in (b"all", b"own"):
            whose = f"{MAX_OPEN} jobs" if kept == b"all" else f"{MAX_OPEN_EACH} jobs of {job.owner}"
            raise QueueFull(f"{whose} are unfinished already", retry_after=10)
        if kept.decode() == job.id:
            return job.record()
        record = await self.find(kept.decode())
        if record is None:
            raise InfrastructureError("the first job with this key has just been forgotten")
        return record

    async def find(self, job_id: str) -> JobRecord | None:
        """Return what is known of a job, or None where it is not known, or not any more."""
        with reachable():
            # No transaction: a Redis that is full refuses even reads in one. The number of results
            # comes first; if the job ends meanwhile, the record says how many there were.
            pipeline = self._client.pipeline(transaction=False)
            pipeline.hlen(f"{self._job}{job_id}:results")
            pipeline.hgetall(self._job + job_id)
            done, fields = await pipeline.execute()
        if not fields:
            return None
        texts = {name.decode(): value.decode() for name, value in fields.items()}
        state = JobState(texts["state"])
        return JobRecord(
            id=job_id,
            owner=texts["owner"],
            total=int(texts["total"]),
            digest=texts["digest"],
            request_id=texts["request_id"],
            state=state,
            done=int(texts["done"]) if state.ended else done,
            message=texts["message"],
        )

    async def first(self, owner: str, key: str) -> JobRecord | None:
        """Return the job that ``owner`` has submitted with an idempotency key."""
        with reachable():
            job_id: Any = await self._client.get(self._first(owner, key))
        return None if job_id is None else await self.find(job_id.decode())

    async def results(self, job_id: str, start: int, stop: int) -> list[bytes | None]:
        """Return the JSON of results ``start`` to ``stop``, None where there is none."""
        with reachable():
            numbers = [str(index) for index in range(start, stop)]
            texts: Any = await self._client.hmget(f"{self._job}{job_id}:results", numbers)
        return list(texts)

    async def end(self, job_id: str, state: JobState, message: str = "") -> JobRecord | None:
        """Cancel or fail a job, unless it has ended; items and results go. Return its record."""
        await self._run(self._end, job_id, state, message, self._ttl_ms)
        return await self.find(job_id)

    async def claim(self, runner: str, most: int) -> list[JobRecord]:
        """Lease to ``runner`` unfinished jobs that nobody works on, the oldest first."""
        claimed = await self._run(self._claim, runner, self._lease_ms, most)
        records = [await self.find(job_id.decode()) for job_id in claimed]
        return [record for record in records if record is not None]

    async def renew(self, runner: str, job_ids: Sequence[str]) -> list[str]:
        """Renew leases, those that ran out too; return the jobs that are not ``runner``'s now."""
        lost = await self._run(self._renew, runner, self._lease_ms, _OPEN_MS, *job_ids)
        return [job_id.decode() for job_id in lost]

    async def release(self, runner: str, job_id: str) -> None:
        """Give a lease back."""
        await self._run(self._release, runner, job_id)

    async def piece(self, job_id: str, number: int) -> bytes | None:
        """Return a packed piece of the items."""
        with reachable():
            piece: Any = await self._client.hget(f"{self._job}{job_id}:payload", str(number))
        return None if piece is None else bytes(piece)

    async def answered(self, job_id: str) -> set[int]:
        """Return the indices of the items that have a result."""
        with reachable():
            return set(map(int, await self._client.hkeys(f"{self._job}{job_id}:results")))

    async def save(self, runner: str, job_id: str, results: Mapping[int, bytes]) -> Standing | None:
        """Keep results as JSON; the first one of each item counts. The job is running now."""
        stands = await self._run(
            self._save,
            *(runner, job_id, self._lease_ms, self._ttl_ms, _OPEN_MS),
            *(_RESULTS_SHARE, self._result_bytes, over_budget(self._result_bytes)),
            *(part for pair in results.items() for part in pair),
        )
        if stands is not None and stands[0] == b"full":
            raise StoreFull(
                f"Redis has no room for results: more than {_RESULTS_SHARE:.0%} of its maxmemory "
                "is taken"
            )
        return None if stands is None else Standing(JobState(stands[0].decode()), stands[1])

    def _first(self, owner: str, key: str) -> str:
        return self._firsts + hashlib.sha256(f"{owner}\0{key}".encode()).hexdigest()

    async def _run(self, script: AsyncScript, *arguments: Any) -> Any:
        with reachable():
            return await script(keys=self._keys, args=(self._job, *arguments))

    async def _need_memory(self, size: int) -> None:
        memory = await self._client.info("memory")
        most = memory.get("maxmemory", 0)
        if most and memory["used_memory"] + size > most * NEW_JOB_SHARE:
            raise QueueFull("Redis has too little memory left for a new job", retry_after=30)

    async def _upload(self, job: NewJob) -> None:
        """Put the items where the job will be; without the job they are soon forgotten."""
        key = f"{self._job}{job.id}:payload"
        batch: dict[Any, Any] = {}
        for number, piece in enumerate(job.payload):
            batch[str(number)] = piece
            last = number == len(job.payload) - 1
            if last or sum(map(len, batch.values())) >= _UPLOAD_BYTES:
                pipeline = self._client.pipeline(transaction=False)
                pipeline.hset(key, mapping=batch)
                pipeline.expire(key, _UPLOAD_S)
                await pipeline.execute()
                batch = {}
