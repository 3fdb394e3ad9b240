"""``azr-trainer report``: a run as one self-contained HTML page."""

from pathlib import Path
from typing import Annotated

import typer

from trainer_client.cli.plain_errors import plain_errors

EXAMPLES = """
[bold]Examples[/]

azr-trainer report runs/demo
"""


def report(run: Annotated[Path, typer.Argument(help="The run's directory.")]) -> None:
    """Write report.html into a run: curves, example tasks, rollouts and the configuration."""
    from trainer_client.report.page import write_report

    with plain_errors():
        typer.echo(write_report(run))
