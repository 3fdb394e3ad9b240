"""Settings from the environment and from flags, and errors said in one line."""

import contextlib
from collections.abc import Iterator
from typing import Any

import typer
from pydantic import ValidationError

from executor_service.errors import ExecutorError
from executor_service.settings import Settings


def load_settings(**flags: Any) -> Settings:
    """Return the settings of the environment, with the flags that were given on top.

    Exits with status 2 and one line per mistake when a setting is wrong.
    """
    try:
        return Settings(**{name: value for name, value in flags.items() if value is not None})
    except ValidationError as error:
        for detail in error.errors():
            name = "_".join(str(part) for part in detail["loc"][:1]).upper()
            prefix = f"EXECUTOR_{name}: " if name else ""
            typer.secho(f"{prefix}{detail['msg']}", err=True, fg=typer.colors.RED)
        raise typer.Exit(2) from None


@contextlib.contextmanager
def plain_errors() -> Iterator[None]:
    """Print this package's own errors as one line and exit with status 1."""
    try:
        yield
    except ExecutorError as error:
        typer.secho(f"azr-executor: {error}", err=True, fg=typer.colors.RED)
        raise typer.Exit(1) from None
