"""``azr-executor verify``: one task, or a file of operations, without a server."""

import asyncio
import json
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from executor_service import problems
from executor_service.cli.options import load_settings, plain_errors
from executor_service.errors import RequestError
from executor_service.operations import AnyOperation
from executor_service.routes.batch import MAX_ITEMS, ParsedItems
from executor_service.service import Service, running_service
from executor_service.settings import Settings

EXAMPLES = """
[bold]Examples[/]

azr-executor verify --program task.py --input "'ab'" --answer "['ab', 'ab']"

azr-executor verify --program task.py --output 12 --answer "3, 4"

azr-executor verify --program task.py --input "[3, 1, 2]"

azr-executor verify --operations batch.jsonl --results verdicts.jsonl

Each line of a file of operations is an item of POST /v1/batch; each line of the results has the
line's index. The exit status is 0 when everything is correct or valid, 1 when something is not.
"""


def verify(
    program: Annotated[Path | None, typer.Option(help="File with the program.")] = None,
    task_input: Annotated[
        str | None, typer.Option("--input", help="Argument list; alone: validate the task.")
    ] = None,
    answer: Annotated[str | None, typer.Option(help="The answer to judge.")] = None,
    output: Annotated[str | None, typer.Option(help="The known or wanted output.")] = None,
    entry_point: Annotated[str, typer.Option(help="Function to call.")] = "f",
    operations: Annotated[
        Path | None, typer.Option(help="JSONL file of operations; - for stdin.")
    ] = None,
    results: Annotated[Path | None, typer.Option(help="Where results go (default stdout).")] = None,
    slots: Annotated[int | None, typer.Option(help="Warm sandboxes.")] = None,
    backend: Annotated[str | None, typer.Option(help="bubblewrap or docker.")] = None,
) -> None:
    """Validate or verify one task, or carry out a JSONL file of operations."""
    if (program is None) == (operations is None):
        raise typer.BadParameter("give either --program or --operations")
    settings = load_settings(slots=slots, backend=backend)
    with plain_errors():
        if operations is not None:
            items = [json.loads(line) for line in _lines(operations)]
            asyncio.run(_carry_out_file(settings, items, results))
            return
        assert program is not None
        item = _item(program.read_text(), entry_point, task_input, answer, output)
        (result,) = asyncio.run(_carry_out(settings, [item]))
        typer.echo(json.dumps(result, indent=2))
        if not _good(result):
            raise typer.Exit(1)


def _item(
    program: str, entry_point: str, task_input: str | None, answer: str | None, output: str | None
) -> dict[str, Any]:
    """Choose the operation from what was given."""
    item: dict[str, Any] = {"program": program, "entry_point": entry_point}
    if answer is None:
        if task_input is None:
            raise typer.BadParameter("give --input, or --answer with --input or --output")
        return {"op": "validate", "input": task_input, **item}
    item |= {"op": "verify", "answer": answer}
    if task_input is None and output is not None:
        return {"mode": "abduction", "output": output, **item}
    if task_input is None:
        raise typer.BadParameter("--answer needs --input (deduction) or --output (abduction)")
    known = {} if output is None else {"output": output}
    return {"mode": "deduction", "input": task_input, **known, **item}


def _lines(path: Path) -> Iterator[str]:
    source = sys.stdin if str(path) == "-" else path.open(encoding="utf-8")
    with source:
        yield from (line for line in source if line.strip())


async def _carry_out(settings: Settings, items: list[Any]) -> list[dict[str, Any]]:
    async with running_service(settings) as service:
        results: list[dict[str, Any]] = [{} for _ in items]
        async for index, result in _results(service, items):
            results[index] = result
        return results


async def _results(service: Service, items: list[Any]) -> Any:
    """Yield (index, result) in chunks that the dispatcher holds easily."""
    for start in range(0, len(items), MAX_ITEMS):
        parsed = ParsedItems(items[start : start + MAX_ITEMS])
        for place, document in parsed.problems.items():
            yield start + place, document
        async for index, result in service.dispatcher.submit(parsed.operations):
            shown = (
                {"error": problems.from_request_error(result)}
                if isinstance(result, RequestError)
                else result
            )
            yield start + parsed.places[index], shown


async def _carry_out_file(settings: Settings, items: list[Any], results: Path | None) -> None:
    sink = sys.stdout if results is None else results.open("w", encoding="utf-8")
    counts: Counter[str] = Counter()
    all_good = True
    console = Console(stderr=True)
    progress = Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(),
        TimeRemainingColumn(), console=console, transient=True,
    )  # fmt: skip
    async with running_service(settings) as service:
        with progress:
            bar = progress.add_task("operations", total=len(items))
            async for index, result in _results(service, items):
                sink.write(json.dumps({"index": index, **result}) + "\n")
                counts[_status(result)] += 1
                all_good = all_good and _good(result)
                progress.advance(bar)
    if results is not None:
        sink.close()
    console.print(
        ", ".join(f"{status}: {count}" for status, count in counts.most_common()),
        highlight=False,
    )
    if not all_good:
        raise typer.Exit(1)


def _status(result: dict[str, Any]) -> str:
    if "error" in result:
        return "unacceptable"
    if "outcomes" in result:
        return "executed"
    if "valid" in result:
        return "valid" if result["valid"] else str(result["reason"])
    return str(result["status"])


def _good(result: dict[str, Any]) -> bool:
    return _status(result) in ("correct", "valid", "executed")
