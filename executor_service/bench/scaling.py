"""Through the queue: verifications a second by workers, what they cost where, and what limits.

Every configuration is a stack of processes of its own that is started, warmed up, measured and
ended again in every round; the order turns round from one round to the next. Ratios are taken
within a round, so that a machine that is slow for a while is slow for both sides of a ratio.
"""

import asyncio
import contextlib
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from executor_service.bench import crowd, local_stack
from executor_service.bench.http_load import Load, Server, latencies, request_bytes
from executor_service.bench.local_stack import Stack
from executor_service.bench.outside import DockerRun
from executor_service.bench.processor_time import machine_seconds
from executor_service.bench.records import Sample
from executor_service.bench.redis_use import RedisUse, heartbeat_bytes, redis_use
from executor_service.bench.speed import loop_factory, right_ones
from executor_service.settings import Settings, usable_cpus

Advance = Callable[[], None]
WORKERS: Final = (1, 2, 4)
CHUNKS: Final = (8, 32, 128)
OVERLOAD: Final = 10
_PATIENCE_S: Final = 1.0
_OFFERED_S: Final = 5.0
"""Seconds of overload at least: several times the patience."""
INDUCTION_CASES: Final = 5
"""Hidden cases of an induction task in AZR."""
_WARM_SHARE: Final = 0.5
_METRICS_S: Final = 6.0
"""Seconds after which a worker has written its metrics at least once."""


@dataclass(frozen=True)
class Configuration:
    """How many processes; no workers is the service without a queue."""

    workers: int
    slots: int
    backend: str = "bubblewrap"
    chunk_size: int | None = None
    """None: that of the settings."""

    @property
    def name(self) -> str:
        """Return what tables call it."""
        slots = f"{self.slots} slot{'s' if self.slots > 1 else ''}"
        more = ", Docker" if self.backend == "docker" else ""
        more += f", chunks of {self.chunk_size}" if self.chunk_size else ""
        if not self.workers:
            return f"embedded, {slots}{more}"
        return f"{self.workers} worker{'s' if self.workers > 1 else ''} × {slots}{more}"

    def start(self, settings: Settings) -> Any:
        """Return the context manager that runs it."""
        if self.chunk_size:
            settings = settings.model_copy(update={"chunk_size": self.chunk_size})
        if not self.workers:
            return local_stack.embedded(settings, slots=self.slots, backend=self.backend)
        return local_stack.queued(
            settings, workers=self.workers, slots=self.slots, backend=self.backend
        )


@dataclass
class Measured:
    """Everything that was measured of one configuration under one load, over all rounds."""

    rates: list[float] = field(default_factory=list)
    """Operations a second, one for each round."""
    items: int = 0
    seconds: float = 0.0
    not_good: int = 0
    """Operations whose status was not the wanted one."""
    cpu: dict[str, float] = field(default_factory=dict)
    """Processor seconds by part; ``client`` is this process."""
    busy: float = 0.0
    """Processor seconds of the whole machine."""
    redis: RedisUse = field(default_factory=RedisUse)

    def cpu_ms(self, part: str) -> float:
        """Return the processor milliseconds of a part for each operation."""
        return self.cpu.get(part, 0.0) / self.items * 1000

    def cores(self, part: str) -> float:
        """Return how many processors a part kept busy."""
        return self.cpu.get(part, 0.0) / self.seconds

    @property
    def others(self) -> float:
        """Return how many processors were kept busy by what is no part of the measurement."""
        return max(0.0, (self.busy - sum(self.cpu.values())) / self.seconds)


@dataclass
class Idle:
    """What a stack asks of Redis while nobody asks anything of it."""

    workers: int
    seconds: float
    use: RedisUse
    cpu: dict[str, float]
    """Processor seconds by part."""
    heartbeat_bytes: float
    metrics_bytes: float


@dataclass
class Scaling:
    """All that was measured."""

    cpus: int
    rounds: int
    by_configuration: dict[str, Measured] = field(default_factory=dict)
    by_kind: dict[str, Measured] = field(default_factory=dict)
    """One worker with a slot for each processor, by kind of operation."""
    latency_ms: dict[str, list[float]] = field(default_factory=dict)
    """Single verifications one after another."""
    capacity: dict[str, Measured] = field(default_factory=dict)
    """Verifications in batches on the stacks of which the latency was measured."""
    crowded: dict[str, crowd.Served] = field(default_factory=dict)
    """As many clients as ten times the slots, each with one verification at a time."""
    by_chunk: dict[int, Measured] = field(default_factory=dict)
    """One worker with a slot for each processor, by the most operations in a job."""
    offered: dict[str, crowd.Served] = field(default_factory=dict)
    """Ten times the operations a second that it can do, with a patience."""
    idle: list[Idle] = field(default_factory=list)
    not_measured: dict[str, str] = field(default_factory=dict)
    patience: float = _PATIENCE_S


def kinds(tasks: Sequence[Sample]) -> dict[str, tuple[list[dict[str, Any]], bytes]]:
    """Return the operations of each kind, and what an answer has once for each good one."""
    correct = b'"status":"correct"'
    found: dict[str, tuple[list[dict[str, Any]], bytes]] = {}
    verify = {"op": "verify"}
    common = [{"program": task.program, "imports": list(task.imports)} for task in tasks]
    pairs = list(zip(tasks, common, strict=True))
    found["deduction, output computed"] = (
        [verify | c | {"mode": "deduction", "input": t.input, "answer": t.output}
         for t, c in pairs], correct)  # fmt: skip
    found["deduction, output given"] = (
        [verify | c | {"mode": "deduction", "output": t.output, "answer": t.output}
         for t, c in pairs], correct)  # fmt: skip
    found["abduction"] = (
        [verify | c | {"mode": "abduction", "output": t.output, "answer": t.input}
         for t, c in pairs], correct)  # fmt: skip
    found[f"induction, {INDUCTION_CASES} cases"] = (
        [verify | c | {"mode": "induction",
                       "cases": [{"input": t.input, "output": t.output}] * INDUCTION_CASES}
         for t, c in pairs], b'"score":1.0')  # fmt: skip
    found["validate"] = (
        [{"op": "validate", "input": t.input, **c} for t, c in pairs],
        b'"valid":true',
    )
    return found


async def run_scaling(
    settings: Settings, tasks: Sequence[Sample], *, rounds: int, seconds: float, advance: Advance
) -> Scaling:
    """Measure; ``seconds`` is for one configuration in one round.

    Raises:
        ConfigurationError: A stack does not start.
    """
    cpus = usable_cpus()
    scaling = Scaling(cpus, rounds)
    loads = kinds(tasks)
    verifications = next(iter(loads.values()))
    configurations = list(
        dict.fromkeys(
            Configuration(workers, slots) for slots in (1, cpus) for workers in (0, *WORKERS)
        )
    )
    for number in range(rounds):
        for one in configurations if number % 2 == 0 else reversed(configurations):
            async with one.start(settings) as stack:
                found = scaling.by_configuration.setdefault(one.name, Measured())
                await _measure(stack, verifications, seconds, found)
            advance()
    for size in CHUNKS:
        async with Configuration(1, cpus, chunk_size=size).start(settings) as stack:
            found = scaling.by_chunk.setdefault(size, Measured())
            for _ in range(rounds):
                await _measure(stack, verifications, seconds, found)
        advance()
    async with Configuration(1, cpus).start(settings) as stack:
        for _ in range(rounds):
            for kind, load in loads.items():
                await _measure(
                    stack, load, seconds / 2, scaling.by_kind.setdefault(kind, Measured())
                )
            advance()
    for workers in (WORKERS[0], WORKERS[-1]):
        async with Configuration(workers, 1).start(settings) as stack:
            scaling.idle.append(await _idle(stack, settings, workers))
        advance()
    await _latency(settings, verifications, scaling, rounds, seconds, advance)
    return scaling


async def _measure(
    stack: Stack, load: tuple[Sequence[dict[str, Any]], bytes], seconds: float, into: Measured
) -> None:
    """Warm up, then measure one interval and add it ``into`` what is known."""
    batches = Load.of(Server(stack.port, stack.api), *load)
    await batches.measure(seconds * _WARM_SHARE)
    warm_items, warm_not_good = batches.items, batches.not_good
    cpu, client, busy = stack.cpu_seconds(), time.process_time(), machine_seconds()[0]
    use = redis_use(stack.redis_client) if stack.redis_client is not None else RedisUse()
    started = time.perf_counter()
    rate = await batches.measure(seconds)
    into.seconds += time.perf_counter() - started
    into.busy += machine_seconds()[0] - busy
    into.cpu["client"] = into.cpu.get("client", 0.0) + time.process_time() - client
    for part, spent in stack.cpu_seconds().items():
        into.cpu[part] = into.cpu.get(part, 0.0) + spent - cpu[part]
    if stack.redis_client is not None:
        into.redis = into.redis + (redis_use(stack.redis_client) - use)
    into.rates.append(rate)
    into.items += batches.items - warm_items
    into.not_good += batches.not_good - warm_not_good


async def _idle(stack: Stack, settings: Settings, workers: int) -> Idle:
    assert stack.redis_client is not None
    await asyncio.sleep(_METRICS_S)
    before, started = redis_use(stack.redis_client), time.perf_counter()
    cpu = stack.cpu_seconds()
    await asyncio.sleep(2 * _METRICS_S)
    use, seconds = redis_use(stack.redis_client) - before, time.perf_counter() - started
    spent = {part: now - cpu[part] for part, now in stack.cpu_seconds().items()}
    sizes = heartbeat_bytes(stack.redis_client, settings.queue_name)
    return Idle(workers, seconds, use, spent, *sizes)


async def _latency(
    settings: Settings,
    verifications: tuple[Sequence[dict[str, Any]], bytes],
    scaling: Scaling,
    rounds: int,
    seconds: float,
    advance: Advance,
) -> None:
    """Measure single requests in turns on stacks that all run, and each of them overloaded."""
    cpus, items = scaling.cpus, verifications[0]
    chosen = [Configuration(0, cpus), Configuration(1, cpus)]
    container = DockerRun(settings)
    if container.why_not:
        scaling.not_measured["Docker"] = container.why_not
    else:
        chosen += [Configuration(0, cpus, "docker"), Configuration(1, cpus, "docker")]
    bodies = [
        request_bytes("POST", "/v1/verify", {k: v for k, v in item.items() if k != "op"})
        for item in items
    ]
    stacks: dict[str, Stack] = {}
    async with contextlib.AsyncExitStack() as running:
        for one in chosen:
            stacks[one.name] = await running.enter_async_context(one.start(settings))
            await latencies(stacks[one.name].port, bodies, seconds * _WARM_SHARE)
        for number in range(rounds):
            order = list(stacks.items())
            for name, stack in order if number % 2 == 0 else reversed(order):
                found = await latencies(stack.port, bodies, seconds)
                scaling.latency_ms.setdefault(name, []).extend(found)
                capacity = scaling.capacity.setdefault(name, Measured())
                await _measure(stack, verifications, seconds, capacity)
            advance()
        for name, stack in stacks.items():
            scaling.crowded[name] = await crowd.closed(
                stack.port, bodies, OVERLOAD * cpus, 2 * seconds
            )
            rate = OVERLOAD * statistics.median(scaling.capacity[name].rates)
            scaling.offered[name] = await crowd.offered(
                stack.port, items, rate, patience=_PATIENCE_S, seconds=max(_OFFERED_S, 2 * seconds)
            )
            advance()


def run(
    settings: Settings, tasks: Sequence[Sample], *, rounds: int, seconds: float, advance: Advance
) -> Scaling:
    """Measure, with the tasks that are right, in an event loop like the server's.

    Raises:
        ConfigurationError: A stack does not start, or no task of the sample is right.
    """

    async def measure() -> Scaling:
        right = await right_ones(settings, list(tasks))
        return await run_scaling(settings, right, rounds=rounds, seconds=seconds, advance=advance)

    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        return runner.run(measure())
