#!/usr/bin/env python3
"""What a stack of up to a thousand workers does, from what one verification costs here.

A closed form, no simulation of single events: throughput is a matter of sums, and what a queue
adds to latency is measured by `azr-executor bench --only scaling`. One worker process is taken to
have as many processors as slots. Processes that run a single thread (an API process, Redis, the
event loop of a worker) may be busy for a share of the time only; above it, waiting grows without
bound.

Costs are milliseconds of processor time and bytes for each verification; the defaults were
measured on the machine that benchmarks/README.md names. Figures of another machine come from
`azr-executor bench --only scaling --output FILE`.
"""

import json
import math
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich import box
from rich.console import Console
from rich.table import Table
from training import KIND_MS, Training

EXAMPLES = """
[bold]Examples[/]

python benchmarks/simulate.py

python benchmarks/simulate.py --costs scaling.json --slots 16 --chunk 128

python benchmarks/simulate.py --workers 1000 --slots 32 --sandbox-ms 5

python benchmarks/simulate.py --training --step-seconds 60

python benchmarks/simulate.py --training --batch 128 --rollouts 16 --endless 0.02
"""

WORKERS: Final = (1, 2, 4, 10, 30, 100, 300, 1000)
FULL: Final = 0.7
"""Most that a single-threaded process may be busy."""
LEAST_FREE_MS: Final = 100.0
"""Of a second; with less, an API process is no more than an audience of heartbeats."""
MOST_WORKERS: Final = 1 << 20
HEARTBEATS: Final = 1.0
METRICS: Final = 0.2
"""How often a second each API process reads what every worker says of itself."""
ENDLESS_CPU_S: Final = 5.0
"""Default CPU limit of a run: what a program that never ends costs."""


@dataclass(frozen=True)
class Costs:
    """What was measured; the defaults are those of benchmarks/README.md."""

    api_ms: float = 0.31
    worker_ms: float = 0.71
    sandbox_ms: float = 1.70
    redis_ms: float = 0.0908
    """Of one verification, but for its share in a job."""
    redis_job_ms: float = 0.832
    """Of one job of the queue, however many operations are in it."""
    commands: float = 2.92
    job_commands: float = 66.1
    bytes: float = 1058.0
    """In and out of Redis for one verification."""
    job_bytes: float = 9140.0
    chunk: float = 30.4
    """Operations in a job."""
    idle_worker_commands: float = 7.4
    """A second, for each worker."""
    idle_worker_redis_ms: float = 0.32
    idle_worker_api_ms: float = 0.1
    """A second, for each worker and each API process; too little to measure with four workers."""
    heartbeat_bytes: float = 1842.0
    metrics_bytes: float = 2249.0


@dataclass(frozen=True)
class Stack:
    """What a number of workers does, and what that asks of the rest."""

    workers: int
    per_second: float
    """Verifications."""
    api_processes: int
    redis_commands: float
    """A second."""
    redis_busy: float
    """Share of one processor."""
    redis_bytes: float
    """A second, in and out."""

    follows: bool
    """Whether an API process has time for its work beside what so many workers say."""

    @property
    def fits(self) -> bool:
        """Tell whether one Redis and its API processes can do that."""
        return self.redis_busy <= FULL and self.follows


def predict(costs: Costs, workers: int, slots: int, chunk: float, shards: int = 1) -> Stack:
    """Return what ``workers`` of ``slots`` do, and what they ask of each of ``shards`` Redis."""
    if shards > 1:
        one = predict(costs, math.ceil(workers / shards), slots, chunk)
        return replace(
            one,
            workers=workers,
            per_second=one.per_second * workers / math.ceil(workers / shards),
            api_processes=one.api_processes * shards,
        )
    by_slots = 1000 * slots / (costs.sandbox_ms + costs.worker_ms)
    by_loop = 1000 * FULL / costs.worker_ms
    rate = workers * min(by_slots, by_loop)
    # An API process looks after its share, and at every worker's heartbeat.
    api = _api_processes(costs, rate, workers)
    jobs = rate / chunk
    looks = api * workers * HEARTBEATS
    return Stack(
        workers,
        rate,
        api,
        rate * costs.commands + jobs * costs.job_commands + workers * costs.idle_worker_commands,
        (rate * costs.redis_ms + jobs * costs.redis_job_ms
         + workers * costs.idle_worker_redis_ms) / 1000,
        rate * costs.bytes + jobs * costs.job_bytes
        + looks * (costs.heartbeat_bytes + METRICS * costs.metrics_bytes),
        _free_ms(costs, workers) > LEAST_FREE_MS,
    )  # fmt: skip


def _free_ms(costs: Costs, workers: int) -> float:
    """Return the milliseconds of a second that an API process has for verifications."""
    return max(LEAST_FREE_MS, 1000 * FULL - workers * costs.idle_worker_api_ms)


def _api_processes(costs: Costs, rate: float, workers: int) -> int:
    return max(1, math.ceil(rate * costs.api_ms / _free_ms(costs, workers)))


def last_for_one_redis(costs: Costs, slots: int, chunk: float) -> int:
    """Return the most workers that one Redis serves; at least one, which is as few as there are."""
    few, many = 1, 2
    while predict(costs, many, slots, chunk).fits and many < MOST_WORKERS:
        few, many = many, 2 * many
    while many - few > 1:
        middle = (few + many) // 2
        few, many = (middle, many) if predict(costs, middle, slots, chunk).fits else (few, middle)
    return few


def read_costs(path: Path) -> Costs:
    """Return the costs that a scaling measurement wrote.

    What a job costs apart from its operations is the slope between the smallest and the largest
    jobs that were measured.
    """
    found = json.loads(path.read_text())["scaling"]["costs"]
    rows = sorted(found["redis_by_chunk"].values(), key=lambda row: row["chunk"])
    first, last = rows[0], rows[-1]
    usual = min(rows, key=lambda row: abs(row["chunk"] - 32))

    def split(value: Any) -> tuple[float, float]:
        """Return what an operation and what a job costs."""
        jobs = 1 / first["chunk"] - 1 / last["chunk"]
        each_job = max(0.0, (value(first) - value(last)) / jobs) if jobs else 0.0
        return max(0.0, value(last) - each_job / last["chunk"]), each_job

    redis_ms, redis_job_ms = split(lambda row: row["cpu_us"] / 1000)
    commands, job_commands = split(lambda row: row["commands"])
    traffic, job_bytes = split(lambda row: row["bytes_in"] + row["bytes_out"])
    same = {f.name: found[f.name] for f in fields(Costs) if f.name in found}
    return Costs(
        **same, redis_ms=redis_ms, redis_job_ms=redis_job_ms, commands=commands,
        job_commands=job_commands, bytes=traffic, job_bytes=job_bytes, chunk=usual["chunk"],
    )  # fmt: skip


def show_stack(console: Console, costs: Costs, counts: list[int], slots: int, chunk: float) -> None:
    """Print what each number of workers does, and where one Redis ends."""
    table = Table(title=f"Workers of {slots} slots, {chunk:.0f} operations in a job",
                  title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)  # fmt: skip
    for name in ("workers", "verifications/s", "APIs", "commands/s", "one Redis", "MB/s",
                 "needs Redis", "MB/s each"):  # fmt: skip
        table.add_column(name, justify="right", no_wrap=True)
    last = last_for_one_redis(costs, slots, chunk)
    for count in counts:
        whole = predict(costs, count, slots, chunk)
        shards = math.ceil(count / last)
        each = predict(costs, count, slots, chunk, shards)
        colour = "green" if whole.fits else "red"
        table.add_row(
            f"{count:,}", f"{whole.per_second:,.0f}", f"{each.api_processes:,}",
            f"{whole.redis_commands:,.0f}", f"[{colour}]{whole.redis_busy:.0%}[/]",
            f"{whole.redis_bytes / 1e6:,.1f}", f"{shards:,}", f"{each.redis_bytes / 1e6:,.1f}",
        )  # fmt: skip
    console.print(table)
    end = predict(costs, last, slots, chunk)
    console.print(
        f"One Redis ends at {last:,} workers ({last * slots:,} slots): {end.per_second:,.0f} "
        f"verifications and {end.redis_commands:,.0f} commands a second keep its one thread busy "
        f"for {FULL:.0%} of the time, with {end.api_processes} API processes before it.",
        highlight=False,
    )
    wider = last_for_one_redis(costs, slots, 4 * chunk)
    console.print(
        f"Then: larger jobs (EXECUTOR_CHUNK_SIZE four times as large: {wider:,} workers); beyond "
        "that several stacks, each a Redis with its own EXECUTOR_REDIS_URL, API processes and "
        "workers, behind a load balancer. They share nothing. A request is answered where it came "
        "in; a job of /v1/jobs is known to the stack that took it, so the balancer must keep a "
        "client that uses jobs with one stack. A larger machine does not help Redis: it has one "
        "thread.",
        highlight=False,
    )


def show_training(console: Console, training: Training, step_seconds: float, share: float) -> None:
    """Print what a step asks for, and the processors that takes."""
    table = Table(title=f"One step, B = {training.batch}, {training.rollouts} rollouts",
                  title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)  # fmt: skip
    for name in ("what", "kind", "operations", "ms each", "processor s"):
        table.add_column(name, justify="left" if name in ("what", "kind") else "right")
    for what, (kind, count) in training.operations().items():
        each = training.kind_ms[kind]
        table.add_row(what, kind, f"{count:,.0f}", f"{each:.2f}", f"{each * count / 1000:.2f}")
    table.add_row("programs that never end", f"{training.endless:.1%} at {training.cpu_limit:g} s",
                  "", "", f"{training.endless_seconds():.2f}")  # fmt: skip
    total = sum(count for _, count in training.operations().values())
    table.add_row("in all", "", f"{total:,.0f}", "", f"{training.seconds():.2f}")
    console.print(table)
    table = Table(title=f"Processors for at most {share:.0%} of a step", title_justify="left",
                  box=box.SIMPLE_HEAD, pad_edge=False)  # fmt: skip
    table.add_column("step, s", justify="right")
    shares = sorted({0.0, 0.01, 0.03, training.endless})
    for endless in shares:
        table.add_column(f"{endless:.0%} endless", justify="right")
    for seconds in sorted({30.0, 60.0, 120.0, 300.0, step_seconds}):
        cores = [replace(training, endless=e).cores(seconds, share) for e in shares]
        table.add_row(f"{seconds:g}", *map(str, cores))
    console.print(table)


def main(
    costs: Annotated[
        Path | None, typer.Option(help="JSON of `azr-executor bench --only scaling --output`.")
    ] = None,
    workers: Annotated[
        list[int] | None, typer.Option(help="Number of workers (repeatable).")
    ] = None,
    slots: Annotated[int, typer.Option(min=1, help="Slots, and processors, of a worker.")] = 8,
    chunk: Annotated[
        float | None, typer.Option(min=1, help="Operations in a job (default: as measured).")
    ] = None,
    sandbox_ms: Annotated[
        float | None, typer.Option(min=0.01, help="Processor time of a verification's runs.")
    ] = None,
    training: Annotated[
        bool, typer.Option("--training", help="Derive processors for AZR.")
    ] = False,
    batch: Annotated[int, typer.Option(min=1, help="Tasks for each of six task-roles.")] = 64,
    rollouts: Annotated[int, typer.Option(min=0, help="Rollouts of each valid proposal.")] = 8,
    valid: Annotated[float, typer.Option(min=0, max=1, help="Share of valid proposals.")] = 1.0,
    endless: Annotated[
        float, typer.Option(min=0, max=1, help="Share of model-written programs that never end.")
    ] = 0.01,
    cpu_limit: Annotated[float, typer.Option(min=0.01, help="Their CPU limit, s.")] = ENDLESS_CPU_S,
    step_seconds: Annotated[float, typer.Option(min=0.1, help="A step's time.")] = 60.0,
    share: Annotated[
        float, typer.Option(min=0.001, max=1, help="Share of a step for verification.")
    ] = 0.1,
) -> None:
    """Extrapolate to a thousand workers, or derive what a training run needs."""
    console = Console()
    measured = Costs() if costs is None else read_costs(costs)
    if training:
        kind_ms = dict(KIND_MS)
        if costs is not None:
            kind_ms |= json.loads(costs.read_text())["scaling"]["costs"]["kind_ms"]
        run = Training(batch, rollouts, valid, endless, cpu_limit, kind_ms)
        show_training(console, run, step_seconds, share)
        return
    if sandbox_ms is not None:
        measured = replace(measured, sandbox_ms=sandbox_ms)
    counts = sorted(set(workers or WORKERS))
    show_stack(console, measured, counts, slots, chunk or measured.chunk)


if __name__ == "__main__":
    app = typer.Typer(add_completion=False, rich_markup_mode="rich")
    app.command(epilog=EXAMPLES)(main)
    app()
