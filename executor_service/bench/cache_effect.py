"""What the result cache spares: one trace of self-play, with the cache off and on.

Both are replayed in turns, each time in a service that was just started, and the verdicts are
compared: the cache must change none. Processor time says more than time on a machine that others
use too; it is that of the service and its sandboxes together.
"""

import asyncio
import os
import statistics
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from executor_service.bench.cache_trace import Batch
from executor_service.bench.drive import status_of
from executor_service.bench.processor_time import process_times, seconds_below
from executor_service.cache.counters import CacheCounters
from executor_service.dispatch.submission import Submission
from executor_service.errors import InfrastructureError
from executor_service.operations import ScriptOperation
from executor_service.sandbox.pool import Pool
from executor_service.sandbox.runner.variants import (
    FURTHER_SEEDS,
    OTHER,
    USUAL,
    choose_flavour,
)
from executor_service.sandbox.runs import RunRequest
from executor_service.service import EmbeddedService, running_service
from executor_service.settings import Settings

_WARMING: Final = ("", "import decimal", "import numpy")
"""What brings up a zygote of each flavour."""

Advance = Callable[[int], None]


@dataclass
class Replay:
    """One pass over the trace."""

    seconds: float = 0.0
    cpu_seconds: float = 0.0
    """Of this process and all below it; what containers use is not in it."""
    statuses: list[str] = field(default_factory=list)
    """Of all operations in the order of the trace."""
    runs_of: Counter[str] = field(default_factory=Counter)
    """Runs carried out in sandboxes, those that confirm a result included, by the kind of batch."""
    counters: CacheCounters = field(default_factory=CacheCounters)

    @property
    def runs(self) -> int:
        """Return all runs carried out."""
        return self.runs_of.total()


@dataclass
class CacheEffect:
    """All passes, with the cache off and on in turns."""

    kinds: Counter[str]
    """Operations by kind."""
    slots: int
    backend: str
    off: list[Replay] = field(default_factory=list)
    on: list[Replay] = field(default_factory=list)

    @property
    def speed_ratio(self) -> float:
        """Return how many times as fast the trace is with the cache; the median over rounds."""
        pairs = zip(self.off, self.on, strict=True)
        return statistics.median(off.seconds / on.seconds for off, on in pairs)

    @property
    def cpu_ratio(self) -> float | None:
        """Return the same of processor time; None where sandboxes are no processes of ours."""
        if self.backend != "bubblewrap":
            return None
        pairs = zip(self.off, self.on, strict=True)
        return statistics.median(off.cpu_seconds / on.cpu_seconds for off, on in pairs)

    def summary(self) -> dict[str, Any]:
        """Return everything as JSON data; runs by kind are those of the first round."""
        off, on = self.off[0], self.on[0]
        return {
            "kinds": {
                kind: {
                    "operations": count,
                    "runs_off": off.runs_of[kind],
                    "runs_on": on.runs_of[kind],
                    "runs_saved": _share(off.runs_of[kind], on.runs_of[kind]),
                }
                for kind, count in sorted(self.kinds.items())
            },
            "hit_rate": on.counters.hit_rate,
            "runs_saved": _share(off.runs, on.runs),
            "speed_ratio": self.speed_ratio,
            "cpu_ratio": self.cpu_ratio,
            "seconds_off": [one.seconds for one in self.off],
            "seconds_on": [one.seconds for one in self.on],
            "cpu_seconds_off": [one.cpu_seconds for one in self.off],
            "cpu_seconds_on": [one.cpu_seconds for one in self.on],
            "counters": vars(on.counters),
            "different": len(self.different()),
        }

    def different(self) -> list[tuple[int, str, str]]:
        """Return (operation, status without, status with the cache) where they differ."""
        return [
            (number, *pair)
            for off, on in zip(self.off, self.on, strict=True)
            for number, pair in enumerate(zip(off.statuses, on.statuses, strict=True))
            if pair[0] != pair[1]
        ]


def _share(off: int, on: int) -> float:
    return 1 - on / off if off else 0.0


def measure(settings: Settings, trace: list[Batch], rounds: int, advance: Advance) -> CacheEffect:
    """Replay ``trace`` ``rounds`` times without and with a cache; ``advance`` counts operations.

    Where ``settings`` have the cache off, it is measured with its default size.

    Raises:
        ConfigurationError: The service does not start on this host.
        SandboxStartError: No sandbox starts.
    """
    kinds = Counter(kind for batch in trace for kind, _ in batch)
    effect = CacheEffect(kinds, settings.slots, settings.backend)
    size = settings.cache_bytes or Settings.model_fields["cache_bytes"].default
    for number in range(rounds):
        turns = [(0, effect.off), (size, effect.on)]
        # The other way round each second time: a machine that slows down meets both.
        for cache_bytes, replays in turns[:: -1 if number % 2 else 1]:
            changed = settings.model_copy(update={"cache_bytes": cache_bytes})
            replays.append(asyncio.run(_pass(changed, trace, advance)))
    return effect


async def _pass(settings: Settings, trace: list[Batch], advance: Advance) -> Replay:
    async with running_service(settings) as service:
        await _warm(service.pool, trace)
        return await replay(service, trace, advance)


async def replay(service: EmbeddedService, trace: list[Batch], advance: Advance) -> Replay:
    """Carry out the trace, one batch after the other."""
    found, used = Replay(), _cpu_seconds()
    for batch in trace:
        runs, started = service.pool.counters.runs, time.perf_counter()
        statuses = [""] * len(batch)
        async for number, result in service.dispatcher.submit(
            Submission([operation for _, operation in batch])
        ):
            statuses[number] = (
                "unacceptable" if isinstance(result, Exception) else status_of(result)
            )
            advance(1)
        kind = batch[0][0]
        found.statuses += statuses
        found.seconds += time.perf_counter() - started
        found.runs_of[kind] += service.pool.counters.runs - runs
    found.cpu_seconds = _cpu_seconds() - used
    if service.cache is not None:
        found.counters = service.cache.counters()
    return found


def _cpu_seconds() -> float:
    return time.process_time() + seconds_below(process_times(), [os.getpid()])


async def _warm(pool: Pool, trace: list[Batch]) -> None:
    """Bring up the zygotes that the trace needs in all sandboxes, as in a long run."""
    operations = [
        operation
        for batch in trace
        for _, operation in batch
        if not isinstance(operation, ScriptOperation)
    ]
    flavours = {choose_flavour("\n".join((*op.imports, op.program))) for op in operations}
    for flavour in sorted(flavours):
        for variant in (USUAL, OTHER, *FURTHER_SEEDS):
            source = f"{_WARMING[flavour]}\ndef f():\n    return 1"
            request = RunRequest(source, "f", variant=variant)
            await asyncio.gather(*[_one(pool, request) for _ in range(2 * pool.slots)])


async def _one(pool: Pool, request: RunRequest) -> None:
    try:
        await pool.run(request)
    except InfrastructureError:
        return  # the passes themselves will tell
