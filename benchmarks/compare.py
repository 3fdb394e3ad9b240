#!/usr/bin/env python3
"""The same answers judged by this service, by peers, and by what trainers do without either.

Rounds are interleaved: in each, all ways judge the same share of the answers, in an order drawn
anew, so that a machine that is slow for a while is slow for all. Rates and ratios are medians over
the rounds. Then every way is given the same cheats, one after another.
"""

import asyncio
import itertools
import json
import os
import random
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Annotated, Any, Final

import typer
from compare_attacks import CHEATS, CONTROLS
from compare_reasons import reason
from compare_scripts import JUDGED_BY, JudgedBy, Verdict
from compare_ways import SECONDS, InProcess, Service, Way, ways
from compare_work import Item, work
from rich import box
from rich.console import Console
from rich.table import Table

from executor_service.bench.ratios import percentile
from executor_service.errors import ExecutorError

EXAMPLES = """
[bold]Examples[/]

python benchmarks/compare.py                                   # the shipped sample, all ways

python benchmarks/compare.py --data FOLDER --items 600 --output compare.json --markdown

python benchmarks/compare.py --data FOLDER --sandbox-fusion http://127.0.0.1:8080 --piston http://127.0.0.1:2000

python benchmarks/compare.py --only docker --only container    # no program outside a sandbox
"""
WAYS: Final = ("docker", "process", "container", "exec")
_BATCH: Final = 32
_LISTED: Final = 5


@dataclass
class Outcome:
    """What one way did: seconds of each call, a rate for each round, a verdict for each answer."""

    latencies: list[float] = field(default_factory=list)
    rates: list[float] = field(default_factory=list)
    verdicts: list[Verdict] = field(default_factory=list)
    trouble: Counter[str] = field(default_factory=Counter)


@dataclass
class Tables:
    """What is printed: a title, the heads of the columns, and rows of cells, for each table."""

    found: list[tuple[str, tuple[str, ...], list[tuple[str, ...]]]] = field(default_factory=list)

    def add(self, title: str, heads: Sequence[str], rows: list[tuple[str, ...]]) -> None:
        """Add a table."""
        self.found.append((title, tuple(heads), rows))

    def show(self, console: Console, *, markdown: bool) -> None:
        """Print all tables."""
        for title, heads, rows in self.found:
            if markdown:
                print(f"\n{title}\n\n| {' | '.join(heads)} |\n|{'---|' * len(heads)}")
                for row in rows:
                    print(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |")
                continue
            table = Table(title=title, box=box.SIMPLE_HEAD, title_justify="left")
            for number, head in enumerate(heads):
                table.add_column(head, justify="right" if number else "left")
            for row in rows:
                table.add_row(*row)
            console.print(table)


async def judged(
    way: Way, items: Sequence[Item], at_once: int, seconds: float, outcome: Outcome
) -> None:
    """Have a way judge answers, some at once, and again until the time is over; note it all."""
    groups = [list(range(at, min(at + way.size, len(items)))) for at in
              range(0, len(items), way.size)]  # fmt: skip
    verdicts: dict[int, Verdict] = {}
    endless = iter(itertools.chain.from_iterable(itertools.repeat(groups)))
    handed, done, started = 0, 0, time.perf_counter()

    async def worker() -> None:
        nonlocal handed, done
        while handed < len(groups) or time.perf_counter() - started < seconds:
            handed += 1
            group = next(endless)
            begun = time.perf_counter()
            found = await way.judge([items[place] for place in group], JUDGED_BY[0])
            outcome.latencies.append(time.perf_counter() - begun)
            done += len(group)
            for place, verdict in zip(group, found, strict=True):
                verdicts.setdefault(place, verdict)
                if verdict.correct is None:
                    outcome.trouble[verdict.status] += 1

    await asyncio.gather(*(worker() for _ in range(at_once)))
    outcome.rates.append(done / (time.perf_counter() - started))
    outcome.verdicts += [verdicts[place] for place in range(len(items))]


async def measured(
    found: Sequence[Way], items: Sequence[Item], *, rounds: int, at_once: int, seconds: float,
    seed: int,
) -> dict[str, Outcome]:  # fmt: skip
    """Return what each way did in interleaved rounds; a short one goes before, to warm up."""
    draw = random.Random(seed)  # noqa: S311 - the order of the rounds is no secret
    outcomes = {way.name: Outcome() for way in found}
    for way in found:
        await judged(way, items[: 2 * at_once], at_once, 0, Outcome())
    for number in range(rounds):
        share = items[number * len(items) // rounds : (number + 1) * len(items) // rounds]
        for way in draw.sample(list(found), len(found)):
            await judged(way, share, at_once, seconds, outcomes[way.name])
    return outcomes


async def differences(
    http: Service, items: Sequence[Item], outcomes: dict[str, Outcome]
) -> dict[str, dict[str, list[str]]]:
    """Return, for each way but this service, what it judges otherwise, by the reason."""
    base = outcomes[http.name].verdicts
    found: dict[str, dict[str, list[str]]] = {}
    for name, outcome in outcomes.items():
        reasons: dict[str, list[str]] = {}
        for item, ours, theirs in zip(items, base, outcome.verdicts, strict=True):
            if theirs.correct is None or theirs.correct == ours.correct:
                continue
            why = await reason(http.http, item, ours, theirs)
            word = "correct" if theirs.correct else "wrong"
            reasons.setdefault(why, []).append(f"{item.name} ({item.mode}), there {word}")
        found[name] = reasons
    return found


async def cheated(found: Sequence[Way]) -> dict[str, dict[str, Any]]:
    """Return what each way, by each manner of judging, makes of the cheats and of plain answers."""
    results: dict[str, dict[str, Any]] = {}
    for way in found:
        if way.size == 1:
            manners: dict[str, Any] = {}
            for by in way.by or JUDGED_BY[:1]:
                manners[by if way.by else "itself"] = await _cheated(way, by)
            results[way.name] = manners
    return results


async def _cheated(way: Way, judged_by: JudgedBy) -> dict[str, Any]:
    async def one(item: Item) -> Verdict:
        return (await way.judge([item], judged_by))[0]

    if isinstance(way, InProcess):  # who judges before must not have been cheated already
        await way.renew()
    plain = [(await one(item)).correct is right for item, right in CONTROLS]
    verdicts = {}
    for cheat in CHEATS:
        verdict = await one(cheat.item)
        verdicts[cheat.name] = await one(cheat.then) if cheat.then else verdict
    return {"plain": sum(plain), "verdicts": verdicts}


def _speed_table(tables: Tables, found: Sequence[Way], outcomes: dict[str, Outcome],
                 unlike: dict[str, dict[str, list[str]]]) -> None:  # fmt: skip
    first = outcomes[found[0].name]
    rows = []
    for way in found:
        outcome = outcomes[way.name]
        ratios = [ours / theirs for ours, theirs in zip(first.rates, outcome.rates, strict=True)]
        rows.append((
            way.name, f"{median(outcome.rates):,.1f}", f"{median(ratios):,.2f}",
            *(f"{percentile(outcome.latencies, share) * 1000:,.1f}" for share in (0.5, 0.99)),
            str(sum(map(len, unlike[way.name].values()))), str(sum(outcome.trouble.values())),
        ))  # fmt: skip
    heads = ("way", "a second", "this service ÷ it", "p50, ms", "p99, ms", "differ", "trouble")
    tables.add(f"{len(first.verdicts)} answers in {len(first.rates)} rounds", heads, rows)


def _reason_table(tables: Tables, unlike: dict[str, dict[str, list[str]]]) -> None:
    names = [name for name, reasons in unlike.items() if reasons]
    every = Counter(why for reasons in unlike.values() for why, which in reasons.items()
                    for _ in which)  # fmt: skip
    rows = [
        (why, *(str(len(unlike[name].get(why, ()))) for name in names),
         next(which[0] for name in names if (which := unlike[name].get(why))))
        for why, _ in every.most_common()
    ]  # fmt: skip
    if rows:
        tables.add("Verdicts that differ from this service's", ("why", *names, "one of them"), rows)


def _cheat_table(tables: Tables, cheats: dict[str, dict[str, Any]]) -> None:
    """Add who judges which cheat correct; *both* is by exit status and by stdout."""

    def cell(manners: dict[str, Any], cheat: str) -> str:
        through = [by for by, found in manners.items() if found["verdicts"][cheat].correct]
        return "both" if len(through) == len(JUDGED_BY) else ", ".join(through) or "–"

    def counted(manners: dict[str, Any], what: str) -> str:
        return ", ".join(
            f"{found['plain'] if what == 'plain' else _through(found)}"
            for found in manners.values()
        )

    rows = [(cheat.name, *(cell(manners, cheat.name) for manners in cheats.values()))
            for cheat in CHEATS]  # fmt: skip
    for name, what in (
        (f"judged correct, of {len(CHEATS)}: by exit status, by stdout", "through"),
        (f"plain answers judged rightly, of {len(CONTROLS)}", "plain"),
    ):
        rows.append((name, *(counted(manners, what) for manners in cheats.values())))
    tables.add("Cheats that are judged correct", ("cheat", *cheats), rows)


def _through(found: dict[str, Any]) -> int:
    return sum(verdict.correct is True for verdict in found["verdicts"].values())


def _machine(at_once: int, load: float) -> dict[str, Any]:
    return {
        "processors": len(os.sched_getaffinity(0)), "kernel": os.uname().release,
        "python": sys.version.split()[0], "at_once": at_once, "seconds_for_each": SECONDS,
        "load_before": round(load, 2), "load_after": round(os.getloadavg()[0], 2),
    }  # fmt: skip


async def _compare(
    items: list[Item], wanted: Sequence[str], fusion: Sequence[str], piston: Sequence[str],
    rounds: int, at_once: int, seconds: float, seed: int,
) -> tuple[Tables, dict[str, Any]]:  # fmt: skip
    """Measure everything; return the tables, and all of it as JSON data."""
    tables, load = Tables(), os.getloadavg()[0]
    async with ways(wanted, fusion, piston, at_once, _BATCH) as (found, missing):
        outcomes = await measured(
            found, items, rounds=rounds, at_once=at_once, seconds=seconds, seed=seed
        )
        assert isinstance(found[0], Service)
        unlike = await differences(found[0], items, outcomes)
        cheats = await cheated(found)
    _speed_table(tables, found, outcomes, unlike)
    _reason_table(tables, unlike)
    _cheat_table(tables, cheats)
    data = {
        "machine": _machine(at_once, load),
        "left_out": missing,
        "ways": {
            name: {
                "rates_per_second": outcome.rates,
                "seconds": outcome.latencies,
                "verdicts": [
                    [item.name, item.mode, *verdict]
                    for item, verdict in zip(items, outcome.verdicts, strict=True)
                ],
                "trouble": outcome.trouble,
                "differ": unlike[name],
            }
            for name, outcome in outcomes.items()
        },
        "cheats": cheats,
    }
    return tables, data


def main(
    data: Annotated[Path | None, typer.Option(help="Folder of AZR's recorded tasks.")] = None,
    items: Annotated[int, typer.Option(min=3, help="Answers, a third of each mode.")] = 300,
    rounds: Annotated[int, typer.Option(min=1, help="Interleaved rounds; each has its share.")] = 5,
    seconds: Annotated[
        float, typer.Option(min=0, help="A round lasts this long at least; its share is repeated.")
    ] = 1.0,
    at_once: Annotated[int, typer.Option(help="Calls under way; 0: two a processor.")] = 0,
    only: Annotated[
        list[str] | None,
        typer.Option(help=f"Of {', '.join(WAYS)}; may be repeated. This service is always there."),
    ] = None,
    sandbox_fusion: Annotated[
        list[str] | None, typer.Option(help="A URL that speaks SandboxFusion.")
    ] = None,
    piston: Annotated[list[str] | None, typer.Option(help="A URL that speaks Piston.")] = None,
    seed: Annotated[int, typer.Option(help="Of the answers, and of the order of rounds.")] = 0,
    output: Annotated[Path | None, typer.Option(help="Write everything as JSON.")] = None,
    markdown: Annotated[bool, typer.Option("--markdown", help="Tables as Markdown.")] = False,
) -> None:
    """Judge the same answers in every way there is, and show speed and verdicts side by side.

    The ways called unsafe run the programs, those of --data too, without any sandbox. The result cache
    is off. Scripts are judged by exit status; cheats in both manners. Trouble is a call that gave no
    verdict.
    """  # noqa: E501
    wanted = only or WAYS
    if unknown := set(wanted) - set(WAYS):
        raise typer.BadParameter(f"no way {', '.join(unknown)}; there are: {', '.join(WAYS)}")
    calls = at_once or 2 * len(os.sched_getaffinity(0))
    console = Console(stderr=markdown)
    try:
        made = work(data, items, seed)
        tables, found = asyncio.run(
            _compare(made, wanted, sandbox_fusion or (), piston or (), rounds, calls, seconds, seed)
        )
    except ExecutorError as error:
        console.print(f"[red]{error}[/]")
        raise typer.Exit(1) from None
    console.print(found["machine"])
    tables.show(console, markdown=markdown)
    for name, why in found["left_out"].items():
        console.print(f"{name} is left out: {why}", highlight=False)
    for name, way in found["ways"].items():
        for status, count in Counter(way["trouble"]).most_common(_LISTED):
            console.print(f"{name}: {count} times no verdict: {status}", highlight=False)
    if output:
        output.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    app = typer.Typer(rich_markup_mode="rich", add_completion=False)
    app.command(epilog=EXAMPLES)(main)
    app()
