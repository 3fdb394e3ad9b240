"""Errors that were raised on purpose become one line and exit status 1; others keep their trace."""

from collections.abc import Iterator
from contextlib import contextmanager

import typer
from rich.console import Console

from trainer_client.errors import TrainerError


@contextmanager
def plain_errors() -> Iterator[None]:
    """Print a `TrainerError` as a line on stderr and exit with 1."""
    try:
        yield
    except TrainerError as error:
        Console(stderr=True).print(f"[bold red]{type(error).__name__}[/]: ", end="")
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error
