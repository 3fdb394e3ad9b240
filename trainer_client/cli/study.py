"""``azr-trainer study``: the demo's claim on several seeds, beside its controls."""

from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from trainer_client.cli.plain_errors import plain_errors

EXAMPLES = """
[bold]Examples[/]

azr-trainer study --seeds 0 --seeds 1 --seeds 2

azr-trainer study --arms selfplay --arms sft --jobs 8

What is done already is not done again: run it a second time to add seeds or arms.
"""
ARM_NAMES = ("selfplay", "shuffled", "frozen", "sft", "balanced", "rlvr")
USUAL_ARMS = ARM_NAMES[:4]
"""Run unless others are named."""


def study(
    folder: Annotated[Path, typer.Option(help="Holds every seed's base and arms.")] = Path(
        "runs/study"
    ),
    seeds: Annotated[list[int] | None, typer.Option(help="May be repeated (0, 1, 2).")] = None,
    arms: Annotated[
        list[str] | None, typer.Option(help=f"May be repeated ({', '.join(ARM_NAMES)}).")
    ] = None,
    jobs: Annotated[int, typer.Option(min=1, help="Processes side by side.")] = 1,
    verifier: Annotated[str | None, typer.Option(help="The URL of a running verifier.")] = None,
    set_: Annotated[
        list[str] | None, typer.Option("--set", help="key.path=value for every arm.")
    ] = None,
) -> None:
    """Train from the same bases by self-play and by its controls, and print one table."""
    console = Console()
    wanted = tuple(arms or USUAL_ARMS)
    unknown = [arm for arm in wanted if arm not in ARM_NAMES]
    if unknown:
        raise typer.BadParameter(f"{unknown[0]} is none of {', '.join(ARM_NAMES)}")
    with plain_errors(), ExitStack() as stack:
        from trainer_client.tiny.study import Study, run_study
        from trainer_client.tiny.tables import show_table, write_tables
        from trainer_client.verifier.local_process import local_verifier

        log = folder / "verifier.log"
        url = verifier or stack.enter_context(local_verifier(log))
        table = run_study(
            Study(folder, tuple(seeds or (0, 1, 2)), wanted, jobs, tuple(set_ or ()), url),
            notice=console.print,
        )
        write_tables(folder / "study.json", [table])
        show_table(console, table)
