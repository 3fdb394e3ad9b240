"""``azr-executor worker``: sandboxes behind the job queue."""

import asyncio
from typing import Annotated

import typer

from executor_service import logs
from executor_service.cli.options import load_settings, plain_errors
from executor_service.worker.process import work

EXAMPLES = """
[bold]Examples[/]

EXECUTOR_REDIS_URL=redis://localhost:6379 azr-executor worker

EXECUTOR_REDIS_URL=redis://:secret@10.0.0.5:6379 azr-executor worker --slots 16

azr-executor worker --redis-url unix:///run/redis.sock --burst
"""


def worker(
    slots: Annotated[
        int | None, typer.Option(help="Warm sandboxes (default: the usable CPUs).")
    ] = None,
    burst: Annotated[bool, typer.Option("--burst", help="End when the queue is empty.")] = False,
    redis_url: Annotated[
        str | None,
        typer.Option(help="Redis of the queue; better in EXECUTOR_REDIS_URL: others see flags."),
    ] = None,
    backend: Annotated[str | None, typer.Option(help="bubblewrap (default) or docker.")] = None,
) -> None:
    """Take operations from the queue and carry them out; any number, on any host.

    SIGTERM ends it after the chunks in hand.
    """
    settings = load_settings(slots=slots, redis_url=redis_url, backend=backend)
    with plain_errors():
        logs.configure(settings.log_level)
        asyncio.run(work(settings, burst=burst))
