"""``azr-trainer train``: self-play, RLVR or SFT against a verifier's URL."""

import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer

from trainer_client.cli.plain_errors import plain_errors
from trainer_client.cli.seeding import seeding_bars
from trainer_client.config.loading import load
from trainer_client.telemetry import logs

EXAMPLES = """
[bold]Examples[/]

azr-trainer train --verifier http://127.0.0.1:8000 --config azr-selfplay --set model.path=DIR

azr-trainer train --config mine.yaml --run runs/a --resume

azr-trainer train --config mine.yaml --set algorithm=rlvr --set data=triplets.jsonl

torchrun --nproc-per-node 8 -m trainer_client.cli.main train --config mine.yaml --run-dir runs/b

The verifier's key, where it wants one, is the environment variable VERIFIER_KEY.
"""
EMBEDDED = "embedded"


def train(
    config: Annotated[str, typer.Option(help="A preset's name or a YAML file.")] = "azr-selfplay",
    verifier: Annotated[
        str | None,
        typer.Option(help=f"The verifier's URL, or '{EMBEDDED}' to start one here."),
    ] = None,
    run: Annotated[
        Path,
        typer.Option(
            # torchrun takes --run, wherever it stands, for the beginning of its own --run-path.
            *("--run", "--run-dir"),
            help="The run's directory (under torchrun, call the option --run-dir).",
        ),
    ] = Path("runs/azr"),
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on from the run's newest checkpoint.")
    ] = False,
    set_: Annotated[
        list[str] | None, typer.Option("--set", help="key.path=value, may be repeated.")
    ] = None,
    push: Annotated[
        str | None, typer.Option(help="Directory for the newest model in HF layout.")
    ] = None,
    log_level: Annotated[str, typer.Option(help="DEBUG, INFO, WARNING or ERROR.")] = "INFO",
) -> None:
    """Train by the configuration's algorithm; ends with the run's report."""
    overrides = list(set_ or [])
    if push:
        overrides.append(f"checkpoints.push={push}")
    if verifier and verifier != EMBEDDED:
        overrides.append(f"verifier.url={verifier}")
    logs.configure(log_level)
    with plain_errors():
        # Imported late: torch takes seconds that --help should not.
        from transformers.utils.logging import disable_progress_bar

        from trainer_client.parallel.process_group import launched
        from trainer_client.report.page import write_report
        from trainer_client.sampling.backends import chosen_device
        from trainer_client.training.training import open_run
        from trainer_client.training.training import train as run_training
        from trainer_client.verifier.local_process import local_verifier

        if not sys.stderr.isatty():
            disable_progress_bar()  # type: ignore[no-untyped-call]
        settings = load(config, overrides)
        with ExitStack() as stack:
            ranks = stack.enter_context(launched(settings, chosen_device(settings.model)))
            if not ranks.first:
                logs.configure("WARNING")
            if verifier == EMBEDDED and ranks.first:
                log_file = run.with_name(f"{run.name}.verifier.log")
                settings = settings.with_verifier_url(stack.enter_context(local_verifier(log_file)))
            opened = open_run(run, settings, resume=resume, ranks=ranks)
            progress = stack.enter_context(seeding_bars()) if ranks.first else _unseen
            done = run_training(settings, opened, on_seeding=progress, ranks=ranks)
        if ranks.first:
            typer.echo(f"{done} of {settings.steps} steps done; {write_report(run)}")


def _unseen(*_: object) -> None:
    """Show nothing of how buffers fill: the first rank does."""
