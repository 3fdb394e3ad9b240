"""``azr-executor bench``: real data, speed and overload, measured here and now."""

import asyncio
import json
import platform
import time
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from executor_service import __version__
from executor_service.bench import (
    cache_effect,
    local_stack,
    overload,
    report,
    scaling,
    scaling_report,
    speed,
)
from executor_service.bench.cache_trace import TraceShape, make_trace
from executor_service.bench.canonical import CanonicalCounts, run_canonical
from executor_service.bench.data import Counts, run_data
from executor_service.bench.mix import make_mix
from executor_service.bench.ratios import speed_summary
from executor_service.bench.records import (
    HUMANEVAL,
    INDUCTIONS,
    MBPP,
    TRIPLETS,
    present,
    read_humaneval,
    read_mbpp,
    read_tasks,
    sample,
)
from executor_service.cli.options import load_settings, plain_errors
from executor_service.errors import ConfigurationError
from executor_service.service import running_service
from executor_service.settings import Settings, usable_cpus

EXAMPLES = """
[bold]Examples[/]

azr-executor bench --quick

azr-executor bench --data shared/data --output bench.json

azr-executor bench --only overload --backend docker

azr-executor bench --only cache --data shared/data

azr-executor bench --only scaling --output scaling.json

The exit status is 1 when load or the cache changed a verdict, or when a canonical or recorded
result could not be had because the service failed; a goal of speed that is missed is shown and
changes nothing.
"""


class Part(StrEnum):
    """What can be measured."""

    DATA = "data"
    SPEED = "speed"
    OVERLOAD = "overload"
    CACHE = "cache"
    SCALING = "scaling"


def bench(
    data: Annotated[
        Path | None,
        typer.Option(help="Folder of recorded tasks; without it the shipped sample is used."),
    ] = None,
    only: Annotated[list[Part] | None, typer.Option(help="Measure this part alone.")] = None,
    backend: Annotated[str | None, typer.Option(help="bubblewrap (default) or docker.")] = None,
    slots: Annotated[int | None, typer.Option(help="Warm sandboxes (default: the CPUs).")] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Fewer rounds and verdicts.")] = False,
    output: Annotated[Path | None, typer.Option(help="JSON file for the results.")] = None,
) -> None:
    """Measure this service on real input, its speed as ratios, and its verdicts under load."""
    # A queue's scaling takes minutes, and a redis-server: it is measured when asked for.
    parts = set(only) if only else set(Part) - {Part.SCALING}
    if data is None and only and Part.DATA in only:
        raise typer.BadParameter("--only data needs --data FOLDER")
    settings = load_settings(backend=backend, slots=slots)
    # What is measured is runs: with the cache, repeated tasks would be measured instead.
    settings = settings.model_copy(update={"cache_bytes": 0})
    console = Console()
    results: dict[str, Any] = {"machine": _machine(settings)}
    good = True
    with plain_errors():
        if Part.DATA in parts and data is not None:
            good &= _data(settings, data, console, results)
        if Part.SPEED in parts:
            _speed(settings, data, console, results, quick=quick)
        if Part.OVERLOAD in parts:
            good &= _overload(settings, data, console, results, quick=quick)
        if Part.CACHE in parts:
            good &= _cache(settings, data, console, results, quick=quick)
        if Part.SCALING in parts:
            good &= _scaling(settings, data, console, results, quick=quick)
    if output is not None:
        output.write_text(json.dumps(results, indent=2) + "\n")
    if not good:
        raise typer.Exit(1)


def _machine(settings: Settings) -> dict[str, Any]:
    return {
        "version": __version__,
        "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "cpus": usable_cpus(),
        "kernel": platform.release(),
        "backend": settings.backend,
        "slots": settings.slots,
    }


def _progress() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        transient=True,
    )


def _data(settings: Settings, folder: Path, console: Console, results: dict[str, Any]) -> bool:
    there, missing = present(folder)
    total = sum(
        sum(len(task.cases) for task in read_tasks(folder / name))
        for name in there
        if name in (*TRIPLETS, *INDUCTIONS)
    )
    canonical = sum(len(task.inputs) for task in read_mbpp(folder / MBPP)) if MBPP in there else 0
    if HUMANEVAL in there:
        canonical += sum(1 for _ in read_humaneval(folder / HUMANEVAL))

    async def run(progress: Progress) -> tuple[dict[str, Counts], dict[str, CanonicalCounts]]:
        async with running_service(settings) as service:
            bar = progress.add_task("recorded triplets", total=total)
            triplets = await run_data(service, folder, lambda count: progress.advance(bar, count))
            bar = progress.add_task("canonical solutions", total=canonical)
            return triplets, await run_canonical(
                service, folder, lambda count: progress.advance(bar, count)
            )

    with _progress() as progress:
        triplets, solutions = asyncio.run(run(progress))
    report.show_data(console, triplets, missing)
    report.show_canonical(console, solutions)
    results["data"] = {
        "triplets": report.plain(triplets),
        "canonical": report.plain(solutions),
        "missing": missing,
    }
    statuses = [counts for one in triplets.values() for counts in one.statuses.values()]
    statuses += [one.outcomes for one in solutions.values()]
    return not any("infra_error" in counts for counts in statuses)


def _speed(
    settings: Settings, data: Path | None, console: Console, results: dict[str, Any], *, quick: bool
) -> None:
    rounds, seconds = (2, 0.4) if quick else (5, 1.0)
    with _progress() as progress:
        bar = progress.add_task("speed, rounds × measurements", total=None)
        found = speed.run(
            settings,
            sample(data),
            rounds=rounds,
            seconds=seconds,
            advance=lambda: progress.advance(bar),
        )
    report.show_speed(console, found)
    results["speed"] = speed_summary(found)


def _overload(
    settings: Settings, data: Path | None, console: Console, results: dict[str, Any], *, quick: bool
) -> bool:
    mix = make_mix(sample(data), 500 if quick else 5000)
    with _progress() as progress:
        bar = progress.add_task("verdicts under load", total=3 * len(mix))
        passes = overload.run(settings, mix, lambda count: progress.advance(bar, count))
    report.show_overload(console, passes)
    results["overload"] = report.plain({one.name: one for one in passes})
    return not any(one.different or one.unexpected for one in passes)


def _cache(
    settings: Settings, data: Path | None, console: Console, results: dict[str, Any], *, quick: bool
) -> bool:
    steps, tasks, rounds = (2, 8, 1) if quick else (4, 16, 3)
    found = {}
    for name, send_gold in (("gold sent", True), ("gold computed", False)):
        trace = make_trace(data, TraceShape(steps, tasks, send_gold=send_gold))
        with _progress() as progress:
            bar = progress.add_task(f"self-play, {name}", total=2 * rounds * sum(map(len, trace)))
            effect = cache_effect.measure(settings, trace, rounds, partial(progress.advance, bar))
        report.show_cache(console, name, effect)
        found[name] = effect
    results["cache"] = {name: effect.summary() for name, effect in found.items()}
    return not any(effect.different() for effect in found.values())


def _scaling(
    settings: Settings, data: Path | None, console: Console, results: dict[str, Any], *, quick: bool
) -> bool:
    if why := local_stack.why_no_redis():
        raise ConfigurationError(f"scaling cannot be measured: {why}")
    rounds, seconds = (1, 1.0) if quick else (3, 3.0)
    with _progress() as progress:
        bar = progress.add_task("queue, workers, overload", total=None)
        found = scaling.run(
            settings,
            sample(data),
            rounds=rounds,
            seconds=seconds,
            advance=lambda: progress.advance(bar),
        )
    scaling_report.show_scaling(console, found)
    results["scaling"] = scaling_report.scaling_summary(found)
    return not any(one.not_good for one in found.by_configuration.values())
