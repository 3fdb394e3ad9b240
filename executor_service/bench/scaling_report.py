"""The tables of the scaling measurement, and its results as JSON data."""

import statistics
from typing import Any, Final

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from executor_service.bench.crowd import OFFERED_BATCH, Served
from executor_service.bench.ratios import percentile
from executor_service.bench.scaling import Measured, Scaling

_PARTS: Final = ("API", "workers", "sandboxes", "Redis", "client")
_WIDTH: Final = 110
"""Columns of what goes into a file."""
_FULL: Final = 0.9
"""Share of its processor, or of all, from which on something counts as the limit."""
LATENCY_GOAL: Final = 4.0
"""Most that a single verification through queue and Docker may take, in embedded ones."""


def limit(measured: Measured, cpus: int, *, workers: int) -> str:
    """Say what kept the rate from being higher."""
    by_part = {part: measured.cores(part) for part in measured.cpu}
    total = measured.busy / measured.seconds
    if total > _FULL * cpus:
        shares = ", ".join(
            f"{part} {cores / total:.0%}"
            for part, cores in sorted(by_part.items(), key=lambda item: -item[1])[:3]
        )
        return f"the {cpus} processors: {shares}"
    for part, processes in (("API", 1), ("Redis", 1), ("workers", workers), ("client", 1)):
        if by_part.get(part, 0.0) > _FULL * processes:
            return f"one processor for each process: {part}"
    return f"waiting: {cpus - total:.1f} processors were idle"


def ratio(above: Measured, below: Measured) -> float:
    """Return the median over the rounds of the quotient of two rates."""
    return statistics.median(a / b for a, b in zip(above.rates, below.rates, strict=True))


def show_scaling(console: Console, scaling: Scaling) -> None:
    """Print everything."""
    if not console.is_terminal:
        console.width = max(console.width, _WIDTH)
    _show_rates(console, scaling)
    _show_redis(console, scaling)
    _show_kinds(console, scaling)
    _show_latency(console, scaling)
    _show_overload(console, scaling)
    for name, why in scaling.not_measured.items():
        console.print(f"[yellow]{name} was not measured:[/] {escape(why)}")


def _show_rates(console: Console, scaling: Scaling) -> None:
    title = f"Verifications a second on {scaling.cpus} processors, and processor ms for each"
    table = _table(title, "what", "per s", "of embedded", *_PARTS, "other load")
    for name, one in scaling.by_configuration.items():
        base = scaling.by_configuration.get(f"embedded, {name.partition(' × ')[2]}")
        table.add_row(
            name,
            f"{statistics.median(one.rates):,.0f}",
            "" if base is None else f"{ratio(one, base):.2f}",
            *(f"{one.cpu_ms(part):.2f}" if part in one.cpu else "" for part in _PARTS),
            f"{one.others:.2f}",
        )
    console.print(table)
    for name, one in scaling.by_configuration.items():
        why = limit(one, scaling.cpus, workers=_workers(name))
        console.print(f"{name}: limited by {why}", highlight=False)
    console.print("other load: processors that were busy with something else", highlight=False)


def _workers(name: str) -> int:
    first = name.split(" ", 1)[0]
    return int(first) if first.isdigit() else 1


def _show_redis(console: Console, scaling: Scaling) -> None:
    table = _table("Redis, for each verification", "job size", "achieved", "per s",
                   "commands", "bytes in", "bytes out", "Redis µs", "worker ms",
                   "API ms")  # fmt: skip
    for size, one in scaling.by_chunk.items():
        row = redis_row(one)
        table.add_row(
            str(size),
            f"{row['chunk']:.1f}",
            f"{statistics.median(one.rates):,.0f}",
            *(f"{row[key]:,.1f}" for key in ("commands", "bytes_in", "bytes_out", "cpu_us")),
            f"{one.cpu_ms('workers'):.2f}",
            f"{one.cpu_ms('API'):.2f}",
        )
    console.print(table)
    one = scaling.by_configuration[f"1 worker × {_slots(scaling.cpus)}"]
    top = ", ".join(f"{name} {count / one.items:.2f}" for name, count in
                    one.redis.commands.most_common(8))  # fmt: skip
    console.print(f"most frequent: {top}", highlight=False)
    for idle in scaling.idle:
        commands = sum(idle.use.commands.values()) / idle.seconds
        sent = (idle.use.bytes_in + idle.use.bytes_out) / idle.seconds
        console.print(
            f"idle, {idle.workers} workers: {commands:.0f} commands and {sent:,.0f} bytes a "
            f"second, Redis {idle.use.cpu_seconds / idle.seconds:.2%} of a processor; a heartbeat "
            f"has {idle.heartbeat_bytes:,.0f} bytes, a worker's metrics {idle.metrics_bytes:,.0f}",
            highlight=False,
        )


def _slots(count: int) -> str:
    return f"{count} slot{'s' if count > 1 else ''}"


def redis_row(measured: Measured) -> dict[str, float]:
    """Return what each operation cost in Redis."""
    use, items = measured.redis, measured.items
    return {
        "chunk": items / max(1, use.chunks),
        "commands": sum(use.commands.values()) / items,
        "bytes_in": use.bytes_in / items,
        "bytes_out": use.bytes_out / items,
        "cpu_us": use.cpu_seconds / items * 1e6,
    }


def _show_kinds(console: Console, scaling: Scaling) -> None:
    table = _table("Processor time by kind of operation, ms", "kind", "per s", *_PARTS[:4],
                   "in all", "unexpected")  # fmt: skip
    for kind, one in scaling.by_kind.items():
        parts = [one.cpu_ms(part) for part in _PARTS[:4]]
        shown = [f"{part:.2f}" for part in (*parts, sum(parts))]
        table.add_row(kind, f"{statistics.median(one.rates):,.0f}", *shown, str(one.not_good))
    console.print(table)


def latency_ratios(scaling: Scaling) -> dict[str, float]:
    """Return each p50 in p50s of the embedded service with bubblewrap."""
    p50 = {name: percentile(found, 0.5) for name, found in scaling.latency_ms.items()}
    base = p50[f"embedded, {_slots(scaling.cpus)}"]
    return {name: value / base for name, value in p50.items()}


def _show_latency(console: Console, scaling: Scaling) -> None:
    table = _table("Single verifications, one after another", "what", "requests", "p50, ms",
                   "p99, ms", "of embedded", "goal", "met")  # fmt: skip
    for name, value in latency_ratios(scaling).items():
        found = scaling.latency_ms[name]
        goal = not name.startswith("embedded") and "Docker" in name
        met = "[green]yes[/]" if value <= LATENCY_GOAL else "[red]no[/]"
        table.add_row(
            name,
            f"{len(found):,}",
            *(f"{percentile(found, share):.2f}" for share in (0.5, 0.99)),
            f"{value:.2f}",
            *((f"≤ {LATENCY_GOAL:g}", met) if goal else ("", "")),
        )
    console.print(table)


def _show_overload(console: Console, scaling: Scaling) -> None:
    offered = (
        f"Ten times the rate in batches of {OFFERED_BATCH}, {scaling.patience:g} s of patience"
    )
    for title, served in (
        ("Ten clients for each slot, single verifications", scaling.crowded),
        (offered, scaling.offered),
    ):
        table = _table(title, "what", "answered", "p50, ms", "p99, ms", "correct per s",
                       "of batches", "refused", "p99, ms", "late", "failed")  # fmt: skip
        for name, one in served.items():
            table.add_row(
                name,
                f"{len(one.latency_ms):,}",
                *(_percentile(one.latency_ms, share) for share in (0.5, 0.99)),
                f"{one.rate:,.0f}",
                f"{one.rate / statistics.median(scaling.capacity[name].rates):.2f}",
                f"{one.refused_share:.1%}",
                _percentile(one.refusal_ms, 0.99),
                str(one.late),
                str(one.failed),
            )
        console.print(table)


def _percentile(milliseconds: list[float], share: float) -> str:
    return f"{percentile(milliseconds, share):,.0f}" if milliseconds else ""


def scaling_summary(scaling: Scaling) -> dict[str, Any]:
    """Return everything measured as JSON data; ``costs`` is what benchmarks/simulate.py reads."""
    return {
        "cpus": scaling.cpus,
        "rounds": scaling.rounds,
        "configurations": {
            name: _measured(one) | {
                "limit": limit(one, scaling.cpus, workers=_workers(name)),
                "redis": redis_row(one) if one.redis.commands else None,
            }
            for name, one in scaling.by_configuration.items()
        },
        "kinds": {name: _measured(one) for name, one in scaling.by_kind.items()},
        "chunks": {
            str(size): _measured(one) | {"redis": redis_row(one)}
            for size, one in scaling.by_chunk.items()
        },
        "latency_ms": {
            name: {"p50": percentile(found, 0.5), "p99": percentile(found, 0.99)}
            for name, found in scaling.latency_ms.items()
        },
        "latency_ratios": latency_ratios(scaling),
        "capacity": {name: _measured(one) for name, one in scaling.capacity.items()},
        "overload": {
            "clients": {name: _served(one) for name, one in scaling.crowded.items()},
            "offered": {name: _served(one) for name, one in scaling.offered.items()},
            "patience_s": scaling.patience,
        },
        "not_measured": scaling.not_measured,
        "costs": costs(scaling),
    }  # fmt: skip


def _measured(one: Measured) -> dict[str, Any]:
    return {
        "rates_per_second": one.rates,
        "cpu_ms": {part: one.cpu_ms(part) for part in one.cpu},
        "other_load_cores": one.others,
        "unexpected": one.not_good,
    }


def _served(one: Served) -> dict[str, Any]:
    return {
        "correct_per_second": one.rate, "p50_ms": one.p(0.5), "p99_ms": one.p(0.99),
        "refused_share": one.refused_share, "late": one.late, "failed": one.failed,
    }  # fmt: skip


def costs(scaling: Scaling) -> dict[str, Any]:
    """Return what each thing costs, in the units of benchmarks/simulate.py."""
    one = scaling.by_configuration[f"1 worker × {_slots(scaling.cpus)}"]
    few, many = scaling.idle
    more = many.workers - few.workers

    def by_worker(low: float, high: float) -> float:
        """Return what one worker more adds in a second."""
        return max(0.0, high / many.seconds - low / few.seconds) / more

    total_few, total_many = (sum(i.use.commands.values()) for i in (few, many))
    return {
        "api_ms": one.cpu_ms("API"),
        "worker_ms": one.cpu_ms("workers"),
        "sandbox_ms": one.cpu_ms("sandboxes"),
        "redis_by_chunk": {
            str(row["chunk"]): row for row in map(redis_row, scaling.by_chunk.values())
        },
        "idle_worker_commands": by_worker(total_few, total_many),
        "idle_worker_redis_ms": 1e3 * by_worker(few.use.cpu_seconds, many.use.cpu_seconds),
        "idle_worker_api_ms": 1e3 * by_worker(few.cpu["API"], many.cpu["API"]),
        "heartbeat_bytes": many.heartbeat_bytes,
        "metrics_bytes": many.metrics_bytes,
        "kind_ms": {
            name: sum(kind.cpu_ms(part) for part in _PARTS[:4])
            for name, kind in scaling.by_kind.items()
        },
    }


def _table(title: str, first: str, *others: str) -> Table:
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column(first, no_wrap=True)
    for name in others:
        table.add_column(name, justify="left" if name == "met" else "right", no_wrap=True)
    return table
