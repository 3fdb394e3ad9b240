"""``azr-trainer presets``: the configurations that come with the package."""

from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from trainer_client.cli.plain_errors import plain_errors
from trainer_client.config.loading import dump_yaml, load
from trainer_client.config.loading import presets as shipped

EXAMPLES = """
[bold]Examples[/]

azr-trainer presets

azr-trainer presets azr-selfplay > mine.yaml
"""


def presets(
    name: Annotated[str | None, typer.Argument(help="Print this one in full.")] = None,
) -> None:
    """List the shipped configurations, or print one with every default filled in."""
    with plain_errors():
        if name is not None:
            typer.echo(dump_yaml(load(name, environ={})), nl=False)
            return
    table = Table("preset", "what it is", box=None)
    for preset in shipped():
        table.add_row(preset.name, preset.summary)
    Console().print(table)
