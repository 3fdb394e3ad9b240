"""``azr-trainer demo``: a model made on the spot learns by self-play; what it gains is measured."""

from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from trainer_client.cli.plain_errors import plain_errors
from trainer_client.cli.seeding import seeding_bars
from trainer_client.config.loading import load
from trainer_client.telemetry import logs

EXAMPLES = """
[bold]Examples[/]

azr-trainer demo

azr-trainer demo --seed 1 --run runs/demo-1

azr-trainer demo --verifier http://127.0.0.1:8000 --set propose.train=false

azr-trainer demo --preset demo-gpu --set demo.warm_up.steps=2000

Without --verifier one is started here and ended with the demo.
"""
PRESET = "tiny-demo"


def demo(
    run: Annotated[
        Path | None,
        typer.Option(help="The run's directory, which must be new (default: the next runs/demo)."),
    ] = None,
    preset: Annotated[
        str, typer.Option(help="tiny-demo, demo-gpu, or a YAML file with a section `demo`.")
    ] = PRESET,
    seed: Annotated[int, typer.Option(help="Model, tasks and samples all derive from it.")] = 0,
    verifier: Annotated[str | None, typer.Option(help="The URL of a running verifier.")] = None,
    problems: Annotated[int, typer.Option(min=1, help="Held-out problems of each task.")] = 300,
    set_: Annotated[
        list[str] | None, typer.Option("--set", help="key.path=value, may be repeated.")
    ] = None,
    log_level: Annotated[str, typer.Option(help="DEBUG, INFO, WARNING or ERROR.")] = "WARNING",
) -> None:
    """Make a small model, let it play against a real verifier, and show what it gained."""
    logs.configure(log_level)
    folder = run or _next_folder(Path("runs"), "demo")
    console = Console()
    with plain_errors():
        from transformers.utils.logging import disable_progress_bar

        from trainer_client.report.page import write_report
        from trainer_client.tiny.demo import DemoSettings, run_demo
        from trainer_client.verifier.local_process import local_verifier

        # The demo has bars of its own; those of loading and saving would stand among them.
        disable_progress_bar()  # type: ignore[no-untyped-call]
        config = load(preset, [f"seed={seed}", *(set_ or [])])
        log = folder.with_name(f"{folder.name}.verifier.log")
        with ExitStack() as stack:
            url = verifier or stack.enter_context(local_verifier(log))
            run_demo(
                config.with_verifier_url(url),
                folder,
                DemoSettings.of(config, problems),
                console=console,
                on_seeding=stack.enter_context(seeding_bars()),
            )
        console.print(f"the run's report: {write_report(folder)}")


def _next_folder(parent: Path, name: str) -> Path:
    """Return the first of name, name-2, name-3 ... that does not exist: demos can be repeated."""
    number = 1
    while (folder := parent / (name if number == 1 else f"{name}-{number}")).exists():
        number += 1
    return folder
