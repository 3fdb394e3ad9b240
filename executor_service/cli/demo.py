"""``azr-executor demo``: the shipped sample through the real service, its verdicts in a table."""

import logging
import sys
from collections import Counter
from collections.abc import Sequence
from typing import Annotated, Any

import httpx
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table
from rich.text import Text

from executor_service.cli.options import load_settings, plain_errors
from executor_service.demo import DemoTask, Forgery, load_forgeries, load_tasks
from executor_service.local_server import local_server

EXAMPLES = """
[bold]Examples[/]

azr-executor demo

azr-executor demo --backend docker
"""
_NOTHING = Text("-", style="dim")


def demo(
    backend: Annotated[str | None, typer.Option(help="bubblewrap (default) or docker.")] = None,
    slots: Annotated[int | None, typer.Option(help="Warm sandboxes.")] = None,
) -> None:
    """Start the service and judge sixty tasks, their right and wrong answers, and forgeries."""
    logging.getLogger().setLevel(logging.ERROR)
    settings = load_settings(backend=backend, slots=slots)
    tasks, forgeries = load_tasks(), load_forgeries()
    # A pipe has no width of its own; eighty columns would break every line of the tables.
    console = Console(width=None if sys.stdout.isatty() else 150)
    with (
        plain_errors(),
        local_server(settings.unguarded()) as url,
        httpx.Client(base_url=url, timeout=300) as http,
    ):
        info = http.get("/v1/info").json()
        rows = _judge_tasks(http, tasks, console)
        outcomes = _batch(http, [forgery.operation for forgery in forgeries])
        seconds = _seconds_per_verdict(http, tasks)
    console.print(_task_table(tasks, rows))
    console.print(_forgery_table(forgeries, outcomes))
    console.print(_protection_table(info))
    wrong = [task.name for task, row in zip(tasks, rows, strict=True) if not row["as_expected"]]
    wrong += [
        forgery.name
        for forgery, outcome in zip(forgeries, outcomes, strict=True)
        if _status(outcome) not in forgery.must
    ]
    _print_summary(console, rows, outcomes, seconds, info)
    if wrong:
        console.print(f"[red]not as expected: {', '.join(wrong)}[/]")
        raise typer.Exit(1)


def _batch(http: httpx.Client, items: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    response = http.post("/v1/batch", json={"items": list(items)})
    response.raise_for_status()
    results: list[dict[str, Any]] = response.json()["results"]
    return results


def _operations(task: DemoTask) -> dict[str, dict[str, Any]]:
    """Return the operations of one task: five verifications of those that are valid."""
    common: dict[str, Any] = {"program": task.program}
    if task.limits is not None:
        common["limits"] = task.limits
    validate = {"op": "validate", "input": task.input, **common}
    if task.policy is not None:
        validate["policy"] = task.policy
    operations = {"validate": validate}
    if task.expect != "valid":
        return operations
    verify = {"op": "verify", **common}
    cases = [{"input": case.input, "output": case.output} for case in task.cases]
    return operations | {
        "deduction": {"mode": "deduction", "input": task.input, "answer": task.output, **verify},
        "abduction": {"mode": "abduction", "output": task.output, "answer": task.input, **verify},
        "induction": {"mode": "induction", "cases": cases, **verify},
        "wrong output": {
            "mode": "deduction", "input": task.input, "answer": task.wrong_answer, **verify,
        },
        "wrong input": {
            "mode": "abduction", "output": task.output, "answer": task.wrong_input, **verify,
        },
    }  # fmt: skip


def _judge_tasks(
    http: httpx.Client, tasks: Sequence[DemoTask], console: Console
) -> list[dict[str, Any]]:
    rows = []
    progress = Progress(
        TextColumn("tasks"), BarColumn(), MofNCompleteColumn(), console=console, transient=True
    )
    with progress:
        for task in progress.track(tasks):
            operations = _operations(task)
            results = dict(zip(operations, _batch(http, list(operations.values())), strict=True))
            rows.append({"results": results, "as_expected": _as_expected(task, results)})
    return rows


def _as_expected(task: DemoTask, results: dict[str, dict[str, Any]]) -> bool:
    validation = results["validate"]
    if _status(validation) != task.expect:
        return False
    if task.expect == "nondeterministic":
        broken_by = validation["determinism"]["broken_by"]
        return broken_by in (task.factor, *task.also)
    return all(
        _status(result) == ("wrong" if name.startswith("wrong") else "correct")
        for name, result in results.items()
        if name != "validate"
    )


def _status(result: dict[str, Any]) -> str:
    if "error" in result and "status" not in result:
        return f"refused: {result['error']['detail']}"
    if "valid" in result:
        return "valid" if result["valid"] else str(result["reason"])
    return str(result["status"])


def _shown(result: dict[str, Any] | None) -> Text:
    if result is None:
        return _NOTHING
    status = _status(result)
    good = status in ("correct", "valid")
    return Text(status, style="green" if good else "yellow" if status == "wrong" else "red")


def _task_table(tasks: Sequence[DemoTask], rows: Sequence[dict[str, Any]]) -> Table:
    title = "Tasks: right answers in three modes, then wrong ones"
    table = Table(title=title, title_justify="left")
    columns = ("validate", "deduction", "abduction", "induction", "wrong output", "wrong input")
    for name in ("task", *columns, "ms", "note"):
        table.add_column(name, justify="right" if name == "ms" else "left", no_wrap=name == "task")
    for task, row in zip(tasks, rows, strict=True):
        results = row["results"]
        validation = results["validate"]
        broken_by = validation["determinism"]["broken_by"] if "determinism" in validation else None
        note = f"broken by {broken_by}" if broken_by else str(validation.get("message", ""))[:40]
        if not row["as_expected"]:
            note = f"NOT AS EXPECTED ({task.expect}) {note}"
        spent = sum(r["usage"]["wall_ms"] for r in results.values() if "usage" in r)
        shown = [_shown(results.get(name)) for name in columns]
        table.add_row(task.name, *shown, f"{spent:.1f}", Text(note))
    return table


def _forgery_table(forgeries: Sequence[Forgery], outcomes: Sequence[dict[str, Any]]) -> Table:
    table = Table(title="Forgeries and escapes: none may be correct", title_justify="left")
    for name in ("attempt", "what it tries", "status", "message"):
        table.add_column(name)
    for forgery, outcome in zip(forgeries, outcomes, strict=True):
        status = _status(outcome)
        style = "green" if status in forgery.must else "bold red"
        message = str(outcome.get("message", ""))[:60]
        table.add_row(forgery.name, forgery.what, Text(status, style=style), Text(message))
    return table


def _protection_table(info: dict[str, Any]) -> Table:
    title = f"Protections of the {info['backend']} backend (Python {info['python']})"
    table = Table(title=title, title_justify="left")
    for name in ("protection", "active", "detail"):
        table.add_column(name)
    for protection in info["protections"]:
        active = "[green]yes[/]" if protection["active"] else "[yellow]no[/]"
        table.add_row(protection["name"], active, protection["detail"])
    return table


def _seconds_per_verdict(http: httpx.Client, tasks: Sequence[DemoTask]) -> float:
    """Time a batch of warm abductions."""
    items = [_operations(task)["abduction"] for task in tasks if task.expect == "valid"] * 4
    _batch(http, items)
    total = 0.0
    for _ in range(3):
        response = http.post("/v1/batch", json={"items": items})
        total += response.elapsed.total_seconds()
    return total / (3 * len(items))


def _print_summary(
    console: Console,
    rows: Sequence[dict[str, Any]],
    outcomes: Sequence[dict[str, Any]],
    seconds: float,
    info: dict[str, Any],
) -> None:
    counts = Counter(
        f"{name}: {_status(result)}" for row in rows for name, result in row["results"].items()
    )
    as_expected = sum(row["as_expected"] for row in rows)
    forged = sum(_status(outcome) in ("correct", "valid") for outcome in outcomes)
    console.print(
        f"{as_expected} of {len(rows)} tasks judged as expected; "
        f"{forged} of {len(outcomes)} forgeries succeeded; "
        f"{1 / seconds:.0f} verifications a second over HTTP on {info['slots']} slots.",
        highlight=False,
    )
    console.print(", ".join(f"{key} {count}" for key, count in sorted(counts.items())), style="dim")
