"""A process that works on jobs until it is killed: ``python -m jobs.crashing URL PREFIX``."""

import asyncio
import sys

from jobs.world import Echo, redis_store, running


async def work(url: str, prefix: str) -> None:
    async with (
        redis_store(url, prefix, lease_seconds=1.0) as store,
        running(store, Echo(0.02), concurrency=4),
    ):
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(work(*sys.argv[1:]))
