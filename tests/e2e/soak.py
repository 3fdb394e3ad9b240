"""The soak's driver: thousands of mixed operations against any base URL, and no wrong verdict.

As a program it also watches processes, those that are named and all below them:

    PYTHONPATH=tests python -m e2e.soak http://127.0.0.1:8000 --operations 20000 --watch api=1234
"""

import argparse
import asyncio
import itertools
import json
import os
import random
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx

from e2e.soak_mix import Item, soak_items
from e2e.soak_watch import Watch
from executor_service.bench.drive import status_of
from executor_service.bench.processor_time import below, process_times

CLIENTS = 4
SIZES = (1, 1, 8, 64, 256, 256)
"""Operations in one request, drawn at random; a single one goes to its own endpoint."""
JOB_EVERY, JOB_SIZE = 40, 300
"""Every so many requests one is a job of /v1/jobs."""
WARM_SHARE = 0.5
"""Share of the operations after which nothing may grow any more: the table of what the cache has
seen once takes as long to fill (50,000 runs of 200 bytes)."""
_REPORTED = 20
_PATIENCE = 300.0


@dataclass
class Soaked:
    """What came of a soak."""

    operations: int = 0
    seconds: float = 0.0
    statuses: Counter[str] = field(default_factory=Counter)
    requests: Counter[str] = field(default_factory=Counter)
    infra_errors: int = 0
    complaints: list[str] = field(default_factory=list)
    """Verdicts that are not what they must be, and requests that failed."""

    def count(self, item: Item, result: dict[str, Any]) -> None:
        """Check one result."""
        self.operations += 1
        status = "refused" if "error" in result and "status" not in result else status_of(result)
        self.statuses[status] += 1
        self.infra_errors += status == "infra_error"
        if (complaint := item.complaint(result)) is not None:
            self.complaints.append(f"{complaint}; got {str(result)[:300]}")

    def summary(self) -> str:
        """Return what happened, for people."""
        statuses = ", ".join(f"{name} {count}" for name, count in self.statuses.most_common())
        kinds = ", ".join(f"{name} {count}" for name, count in self.requests.most_common())
        lines = [
            f"{self.operations:,} operations in {self.seconds:.0f} s "
            f"({self.operations / max(self.seconds, 1e-9):.0f} a second); {kinds}",
            f"statuses: {statuses}",
            f"infra_error: {self.infra_errors}; wrong: {len(self.complaints)}",
            *self.complaints[:_REPORTED],
        ]
        return "\n".join(lines)


def soak(
    url: str,
    operations: int,
    *,
    seed: int = 0,
    headers: dict[str, str] | None = None,
    on_share: tuple[float, Callable[[], None]] | None = None,
) -> Soaked:
    """Send the mix and check every result.

    Args:
        url: Where the service is.
        operations: How many to send.
        seed: What the mix is made from.
        headers: Of every request.
        on_share: A share of the operations, and what to call when so many are done.
    """
    return asyncio.run(_soak(url, operations, seed, headers or {}, on_share))


async def _soak(
    url: str,
    operations: int,
    seed: int,
    headers: dict[str, str],
    on_share: tuple[float, Callable[[], None]] | None,
) -> Soaked:
    found = Soaked()
    rng = random.Random(seed)
    items = soak_items(seed, operations)
    numbers = itertools.count(1)
    share, call = on_share or (2.0, lambda: None)
    started = time.monotonic()

    async def client(http: httpx.AsyncClient) -> None:
        nonlocal share
        while True:
            as_job = next(numbers) % JOB_EVERY == 0
            taken = list(itertools.islice(items, JOB_SIZE if as_job else rng.choice(SIZES)))
            if not taken:
                return
            await _send(http, taken, found, as_job=as_job)
            if found.operations >= share * operations:
                share = 2.0
                call()

    async with httpx.AsyncClient(base_url=url, headers=headers, timeout=_PATIENCE) as http:
        await asyncio.gather(*[client(http) for _ in range(CLIENTS)])
    found.seconds = time.monotonic() - started
    return found


async def _send(http: httpx.AsyncClient, items: list[Item], found: Soaked, *, as_job: bool) -> None:
    operations = [item.operation for item in items]
    try:
        if as_job:
            found.requests["jobs"] += 1
            results = await _job(http, operations)
        elif len(items) == 1:
            found.requests["single"] += 1
            results = [await _single(http, operations[0])]
        else:
            found.requests["batches"] += 1
            answer = await _post(http, "/v1/batch", {"items": operations})
            results = answer.raise_for_status().json()["results"]
    except httpx.HTTPError as error:
        found.complaints.append(f"{len(items)} operations: {error!r}")
        found.operations += len(items)
        return
    if len(results) != len(items):
        found.complaints.append(f"{len(items)} operations have {len(results)} results")
    for item, result in zip(items, results, strict=False):
        found.count(item, result)


async def _single(http: httpx.AsyncClient, operation: dict[str, Any]) -> dict[str, Any]:
    body = {name: value for name, value in operation.items() if name != "op"}
    answer = await _post(http, f"/v1/{operation['op']}", body)
    if answer.status_code == 422:
        return {"error": answer.json()}
    result: dict[str, Any] = answer.raise_for_status().json()
    return result


async def _job(http: httpx.AsyncClient, operations: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Post a job, wait for its end, fetch the results and delete it: nothing of it may stay."""
    answer = await _post(http, "/v1/jobs", {"items": operations})
    name = answer.raise_for_status().json()["job_id"]
    while True:
        document = (await http.get(f"/v1/jobs/{name}")).raise_for_status().json()
        if document["state"] not in ("queued", "running"):
            break
        await asyncio.sleep(0.25)
    (await http.delete(f"/v1/jobs/{name}")).raise_for_status()
    results: list[dict[str, Any]] = document["results"] or []
    return results


async def _post(http: httpx.AsyncClient, path: str, body: Any) -> httpx.Response:
    # As ASCII: httpx's own way of writing JSON fails at a lone surrogate.
    headers = {"content-type": "application/json"}
    return await http.post(path, content=json.dumps(body), headers=headers)


def descendants(*roots: int) -> Callable[[], list[int]]:
    """Return a way to learn the ids of all processes below ``roots``, now."""
    return lambda: [process.pid for process in below(process_times(), roots)]


def main() -> int:
    """Soak a service that runs already; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("--operations", type=int,
                        default=int(os.environ.get("AZR_SOAK_OPERATIONS", "5000")))  # fmt: skip
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--key", default="", help="API key")
    parser.add_argument("--watch", action="append", default=[], metavar="NAME=PID")
    given = parser.parse_args()
    named = [text.partition("=") for text in given.watch]
    parts = {name: (lambda pid=int(pid): [pid]) for name, _, pid in named}
    watch = Watch(parts, descendants(*[int(pid) for _, _, pid in named]))
    watch.start()
    headers = {"authorization": f"Bearer {given.key}"} if given.key else {}
    found = soak(given.url, given.operations, seed=given.seed, headers=headers,
                 on_share=(WARM_SHARE, watch.warm))  # fmt: skip
    watch.stop()
    print(found.summary(), *watch.rows(), *watch.complaints(), sep="\n")
    return 1 if found.complaints or found.infra_errors or watch.complaints() else 0


if __name__ == "__main__":
    sys.exit(main())
