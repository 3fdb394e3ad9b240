"""``azr-executor verify``: one task, or a file of operations, without a server."""

import asyncio
import json
import sys
from collections import Counter
from collections.abc import AsyncIterator
from typing import Annotated, Any, TextIO

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from executor_service import problems
from executor_service.cli.options import load_settings, plain_errors
from executor_service.dispatch.submission import Submission
from executor_service.errors import RequestError
from executor_service.items import ParsedItems
from executor_service.routes.batch import MAX_ITEMS
from executor_service.service import EmbeddedService, running_service
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
    program: Annotated[
        typer.FileText | None, typer.Option(help="File with the program.", encoding="utf-8")
    ] = None,
    task_input: Annotated[
        str | None, typer.Option("--input", help="Argument list; alone: validate the task.")
    ] = None,
    answer: Annotated[str | None, typer.Option(help="The answer to judge.")] = None,
    output: Annotated[str | None, typer.Option(help="The known or wanted output.")] = None,
    entry_point: Annotated[str, typer.Option(help="Function to call.")] = "f",
    operations: Annotated[
        typer.FileText | None,
        typer.Option(help="JSONL file of operations; - for stdin.", encoding="utf-8"),
    ] = None,
    results: Annotated[
        typer.FileTextWrite | None, typer.Option(help="Where results go (default stdout).")
    ] = None,
    slots: Annotated[int | None, typer.Option(help="Warm sandboxes.")] = None,
    backend: Annotated[str | None, typer.Option(help="bubblewrap or docker.")] = None,
) -> None:
    """Validate or verify one task, or carry out a JSONL file of operations."""
    if (program is None) == (operations is None):
        raise typer.BadParameter("give either --program or --operations")
    settings = load_settings(slots=slots, backend=backend)
    with plain_errors():
        if operations is not None:
            items = _items(operations)
            asyncio.run(_carry_out_file(settings, items, results or sys.stdout))
            return
        assert program is not None
        item = _item(_text(program), entry_point, task_input, answer, output)
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


def _text(file: TextIO) -> str:
    try:
        return file.read()
    except UnicodeDecodeError as error:
        raise typer.BadParameter(f"{file.name}: {error}") from None


def _items(file: TextIO) -> list[Any]:
    """Read one JSON value a line, blank lines aside."""
    items = []
    for number, line in enumerate(_text(file).split("\n"), 1):
        if line.strip():
            try:
                items.append(json.loads(line))
            except ValueError as error:
                raise typer.BadParameter(f"{file.name}, line {number}: {error}") from None
    return items


async def _carry_out(settings: Settings, items: list[Any]) -> list[dict[str, Any]]:
    async with running_service(settings) as service:
        results: list[dict[str, Any]] = [{} for _ in items]
        async for index, result in _results(service, items):
            results[index] = result
        return results


async def _results(
    service: EmbeddedService, items: list[Any]
) -> AsyncIterator[tuple[int, dict[str, Any]]]:
    """Yield (index, result) in chunks that the dispatcher holds easily."""
    for start in range(0, len(items), MAX_ITEMS):
        parsed = ParsedItems(items[start : start + MAX_ITEMS])
        for place, document in parsed.problems.items():
            yield start + place, document
        async for index, result in service.dispatcher.submit(Submission(parsed.operations)):
            shown = (
                {"error": problems.from_request_error(result)}
                if isinstance(result, RequestError)
                else result
            )
            yield start + parsed.places[index], shown


async def _carry_out_file(settings: Settings, items: list[Any], sink: TextIO) -> None:
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
