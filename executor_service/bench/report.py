"""The bench's tables for a terminal, and its results as JSON data."""

import re
import statistics
from collections.abc import Iterable
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from executor_service.bench.cache_effect import CacheEffect
from executor_service.bench.canonical import CanonicalCounts
from executor_service.bench.data import Counts
from executor_service.bench.overload import Pass
from executor_service.bench.ratios import latency_rows, ratios
from executor_service.bench.speed import Speed

_LISTED = 12


def show_data(console: Console, found: dict[str, Counts], missing: list[str]) -> None:
    """Print what came of the recorded triplets, and name each that is not reproduced."""
    table = _table("Recorded triplets", "file", "triplets", "reproduced", "nondeterministic",
                   "other")  # fmt: skip
    for name, counts in found.items():
        table.add_row(name, *map(str, (counts.triplets, counts.reproduced,
                      len(counts.nondeterministic), len(counts.others))))  # fmt: skip
    console.print(table)
    table = _table("Statuses", "file", "operation", "statuses")
    for name, counts in found.items():
        for what, statuses in counts.statuses.items():
            text = ", ".join(f"{status} {count}" for status, count in statuses.most_common())
            table.add_row(name, what, text)
    console.print(table)
    for title, listed in (
        ("Nondeterministic, and by what", [c.nondeterministic for c in found.values()]),
        ("Not reproduced for another reason", [c.others for c in found.values()]),
        ("Inductions that fail although mended", [c.inductions for c in found.values()]),
    ):
        lines = [line for part in listed for line in grouped(part)]
        console.print(f"[bold]{title}[/] ({sum(map(len, listed))})")
        for where, reason in lines:
            console.print(f"  {escape(where)}: {escape(reason)}", highlight=False, soft_wrap=True)
    if missing:
        console.print(f"[yellow]not in the folder:[/] {', '.join(missing)}")


def grouped(lines: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Put the cases of one task that have the same reason into one line."""
    groups: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for name, reason in lines:
        task, _, case = name.rpartition(":") if name.count(":") > 1 else (name, "", "")
        key = task, re.sub(r"\d+ characters", "N characters", reason)
        groups.setdefault(key, []).append((case, reason))
    shown = []
    for (task, _), members in groups.items():
        cases = ", ".join(case for case, _ in members if case)
        sizes = [int(n) for _, r in members for n in re.findall(r"(\d+) characters", r)]
        reason = members[0][1]
        if sizes and min(sizes) != max(sizes):
            span = f"{min(sizes)} to {max(sizes)} characters"
            reason = re.sub(r"\d+ characters", span, reason)
        shown.append((f"{task}, case {cases}" if cases else task, reason))
    return shown


def show_canonical(console: Console, found: dict[str, CanonicalCounts]) -> None:
    """Print what came of the benchmarks' own solutions."""
    table = _table("Canonical solutions", "benchmark", "solutions", "in full", "inputs",
                   "outcomes", "induction cases")  # fmt: skip
    for name, counts in found.items():
        table.add_row(name, str(counts.tasks), str(counts.whole), str(counts.inputs),
                      _counted(counts.outcomes), _counted(counts.cases))  # fmt: skip
    console.print(table)
    for name, counts in found.items():
        for task, why in counts.failures:
            console.print(f"  {escape(task)}: {escape(why)}", highlight=False, soft_wrap=True)
        if counts.untyped:
            console.print(f"  {name}, argument types unknown: {', '.join(counts.untyped)}")


def _counted(counts: dict[str, int]) -> str:
    ordered = sorted(counts.items(), key=lambda item: -item[1])
    return ", ".join(f"{status} {count}" for status, count in ordered)


def show_speed(console: Console, speed: Speed) -> None:
    """Print rates, ratios with their goals, and latencies."""
    table = _table(f"Rates per second ({speed.tasks} tasks, {speed.slots} slots)",
                   "what", "median", "least", "most")  # fmt: skip
    for name, found in speed.rates.items():
        table.add_row(name, *(f"{n:,.1f}" if n < 100 else f"{n:,.0f}" for n in
                      (statistics.median(found), min(found), max(found))))  # fmt: skip
    console.print(table)
    table = _table("Ratios (medians)", "what", "ratio", "goal", "met")
    for ratio in ratios(speed):
        goal = "" if ratio.goal is None else f"{ratio.goal:.1f}"
        met = {None: "", True: "[green]yes[/]", False: "[red]no[/]"}[ratio.met]
        table.add_row(ratio.name, f"{ratio.value:,.2f}", goal, met)
    console.print(table)
    table = _table(f"One program ({len(speed.latency_ms)} single requests)", "what", "ms")
    for name, value in latency_rows(speed):
        table.add_row(name, f"{value:.2f}")
    console.print(table)
    for name, client in speed.client_cpu_ms.items():
        console.print(
            f"{name}: {client:.3f} ms of CPU in this client and {speed.server_cpu_ms[name]:.3f} ms "
            f"in the server process per item; {speed.not_good[name]} unexpected statuses",
            highlight=False,
        )
    for name, why in speed.not_measured.items():
        console.print(f"[yellow]{name} was not measured:[/] {escape(why)}")


def show_overload(console: Console, passes: list[Pass]) -> None:
    """Print the passes, and each verdict that load changed."""
    title = f"The same {passes[0].verdicts:,} verdicts under load"
    table = _table(title, "pass", "slots", "clients", "loops", "seconds", "different", "unexpected")
    for one in passes:
        counts = (len(one.different), len(one.unexpected))
        table.add_row(
            one.name,
            *map(str, (one.slots, one.clients, one.hogs)),
            f"{one.seconds:.1f}",
            *(f"[{'red' if count else 'green'}]{count}[/]" for count in counts),
        )
    console.print(table)
    console.print(f"statuses at 1x: {_counted(passes[0].statuses)}", highlight=False)
    for one in passes:
        lines = [f"different: {line}" for line in one.different]
        lines += [f"unexpected: {line}" for line in one.unexpected]
        for line in lines[:_LISTED]:
            console.print(f"  {one.name}, {escape(line)}", highlight=False, soft_wrap=True)
        if len(lines) > _LISTED:
            console.print(f"  {one.name}: and {len(lines) - _LISTED} more")


def show_cache(console: Console, name: str, effect: CacheEffect) -> None:
    """Print what a trace of self-play takes without and with the result cache."""
    title = f"Self-play, {name}: {sum(effect.kinds.values()):,} operations, {effect.slots} slots"
    table = _table(title, "batches of", "operations", "runs without", "runs with", "saved")
    summary = effect.summary()
    for kind, row in summary["kinds"].items():
        counts = (f"{row[key]:,}" for key in ("operations", "runs_off", "runs_on"))
        table.add_row(kind, *counts, f"{row['runs_saved']:.1%}")
    console.print(table)
    counters = effect.on[0].counters
    console.print(
        f"hit rate {summary['hit_rate']:.1%} of runs asked for ({counters.hits:,} from the cache, "
        f"{counters.coalesced:,} shared with one under way, {counters.misses:,} carried out, and "
        f"{counters.confirmations:,} more to confirm); runs saved {summary['runs_saved']:.1%}; "
        f"{summary['speed_ratio']:.2f} times as fast{_of_cpu(effect.cpu_ratio)}",
        highlight=False,
    )
    for number, off, on in effect.different()[:_LISTED]:
        console.print(f"  [red]operation {number}: {off} without, {on} with the cache[/]")


def _of_cpu(ratio: float | None) -> str:
    return "" if ratio is None else f", with 1/{ratio:.2f} of the processor time"


def plain(found: dict[str, Any]) -> dict[str, Any]:
    """Return dataclasses by name as JSON data."""
    return {name: _plain(vars(value)) for name, value in found.items()}


def _plain(value: Any) -> Any:
    # dataclasses.asdict would make a Counter anew from its pairs, and so count the pairs.
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return value


def _table(title: str, first: str, *others: str) -> Table:
    table = Table(title=title, title_justify="left")
    table.add_column(first)
    words = ("statuses", "operation", "outcomes", "induction cases", "met")
    for name in others:
        table.add_column(name, justify="left" if name in words else "right")
    return table
