"""``azr-executor keys``: make, list and revoke the keys of the service's clients."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from executor_service.access.key_file import add_key, revoke_key
from executor_service.access.key_ring import KeyRing, parse_entries
from executor_service.access.keys import StoredKey, checked_name, new_token, token_digest
from executor_service.cli.options import load_settings, plain_errors
from executor_service.errors import ConfigurationError
from executor_service.settings import Settings

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    help="Make, list and revoke the keys of clients (EXECUTOR_KEYS_FILE).",
    epilog="""
[bold]Examples[/]

export EXECUTOR_KEYS_FILE=/etc/azr-executor/keys.jsonl

azr-executor keys new trainer-1 > trainer-1.key

azr-executor keys list

azr-executor keys revoke trainer-1
""",
)
_NEW_EXAMPLES = """
[bold]Examples[/]

azr-executor keys new trainer-1 --file keys.jsonl > trainer-1.key

azr-executor keys new guest --operations-per-second 10 --burst 100

azr-executor keys new trainer-1 --print-hash    # for EXECUTOR_KEYS; needs no file
"""
_LIST_EXAMPLES = """
[bold]Examples[/]

azr-executor keys list --file keys.jsonl
"""
_REVOKE_EXAMPLES = """
[bold]Examples[/]

azr-executor keys revoke trainer-1 --file keys.jsonl
"""

Name = Annotated[str, typer.Argument(help="Name of the client: A-Z a-z 0-9 . _ -")]
File = Annotated[str | None, typer.Option(help="The key file (default: EXECUTOR_KEYS_FILE).")]


@app.command("new", epilog=_NEW_EXAMPLES)
def new(
    name: Name,
    file: File = None,
    operations_per_second: Annotated[
        float | None,
        typer.Option(min=0, help="Rate in place of EXECUTOR_RATE_LIMIT; 0 for no limit."),
    ] = None,
    burst: Annotated[
        int | None, typer.Option(min=1, help="Operations at once, in place of EXECUTOR_RATE_BURST.")
    ] = None,
    print_hash: Annotated[
        bool, typer.Option("--print-hash", help="Show the entry for EXECUTOR_KEYS, too.")
    ] = False,
) -> None:
    """Make a key. It is printed once, alone on stdout, and kept nowhere: only its hash is."""
    settings = load_settings(keys_file=file)
    with plain_errors():
        checked_name(name)
        if any(key.name == name for key in parse_entries(settings.keys)):
            raise ConfigurationError(f"EXECUTOR_KEYS has a key with the name {name} already")
        if not (settings.keys_file or print_hash):
            raise _no_file("; or give --print-hash and put what it shows into EXECUTOR_KEYS")
        token = new_token()
        key = StoredKey(
            name=name,
            sha256=token_digest(token),
            created=datetime.now(UTC).replace(microsecond=0),
            operations_per_second=operations_per_second,
            burst=burst,
        )
        if settings.keys_file:
            add_key(Path(settings.keys_file), key)
    typer.echo(token)
    if settings.keys_file:
        typer.echo(f"added {name} to {settings.keys_file}; the key is shown this once", err=True)
    if print_hash:
        typer.echo(f"for EXECUTOR_KEYS: {name}:{key.sha256}", err=True)


@app.command("list", epilog=_LIST_EXAMPLES)
def show(file: File = None) -> None:
    """List the keys by name; their hashes stay in the file."""
    settings = load_settings(keys_file=file)
    with plain_errors():
        ring = KeyRing.from_settings(settings)
        if not ring.required:
            raise _no_file(", or keys in EXECUTOR_KEYS")
    fixed = {key.name for key in parse_entries(settings.keys)}
    console = Console()
    table = Table(title="Keys", title_justify="left")
    for column in ("name", "made", "good", "operations a second", "burst", "from"):
        table.add_column(column)
    for key in ring.current():
        table.add_row(
            key.name,
            _day(key.created) or "-",
            "[green]yes[/]" if key.revoked is None else f"[red]revoked {_day(key.revoked)}[/]",
            _rate(settings, key),
            str(key.burst or settings.rate_burst),
            "EXECUTOR_KEYS" if key.name in fixed else "file",
        )
    console.print(table)


@app.command("revoke", epilog=_REVOKE_EXAMPLES)
def revoke(name: Name, file: File = None) -> None:
    """Revoke a key; running services refuse it within a second."""
    settings = load_settings(keys_file=file)
    with plain_errors():
        if any(key.name == name for key in parse_entries(settings.keys)):
            raise ConfigurationError(
                f"{name} is in EXECUTOR_KEYS: take it out there and restart the service"
            )
        if not settings.keys_file:
            raise _no_file("")
        key = revoke_key(Path(settings.keys_file), name)
    typer.echo(f"{name} is revoked since {key.revoked}; running services follow", err=True)


def _no_file(otherwise: str) -> ConfigurationError:
    return ConfigurationError(f"name the key file with --file or EXECUTOR_KEYS_FILE{otherwise}")


def _day(moment: datetime | None) -> str:
    return "" if moment is None else moment.date().isoformat()


def _rate(settings: Settings, key: StoredKey) -> str:
    rate = settings.rate_limit if key.operations_per_second is None else key.operations_per_second
    return f"{rate:g}" if rate else "no limit"
