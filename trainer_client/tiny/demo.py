"""The demo: a base model made on the spot, self-play against a real verifier, and what it gained.

What is small is the model, its language and its world; the loop, the rewards, the tasks and the
verifier are those of every other run (presets ``tiny-demo`` and ``demo-gpu``).
"""

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from trainer_client.config import RunConfig
from trainer_client.config.demo import WarmUpConfig
from trainer_client.selfplay.progress import SeedingProgress
from trainer_client.state.run_directory import RunDirectory
from trainer_client.tiny.base import make_base
from trainer_client.tiny.heldout import HeldOut, draw_held_out
from trainer_client.tiny.tables import accuracy_table, show_table, time_table, write_tables
from trainer_client.tiny.trial import Trial, run_trial
from trainer_client.tiny.worlds.catalogue import school

BASE_FOLDER = "base"
"""The base model's folder within the run's."""


@dataclass(frozen=True)
class DemoSettings:
    """What the demo does besides the run of its configuration.

    Attributes:
        problems: held-out problems of each task.
        step_weights: shares of the held-out programs with 1, 2, 3 ... steps; the warm-up has seen
            none of the longest.
        warm_up: how the base model is made.
    """

    problems: int = 300
    step_weights: tuple[float, ...] = (1, 1, 1)
    warm_up: WarmUpConfig = field(default_factory=WarmUpConfig)

    @classmethod
    def of(cls, config: RunConfig, problems: int = 300) -> Self:
        """Return what the section ``demo`` of a configuration says."""
        return cls(
            problems=problems,
            step_weights=tuple(school(config.demo).world.held_out_steps),
            warm_up=config.demo.warm_up,
        )


def run_demo(
    config: RunConfig,
    path: Path,
    settings: DemoSettings,
    *,
    console: Console,
    on_seeding: SeedingProgress = lambda *_: None,
) -> Trial:
    """Make a base model, let it play, and print and write what came of it.

    Args:
        config: a demo's preset with the verifier's URL; `model.path` is set here.
        path: the run's directory, which must be new.
        settings: warm-up and evaluation.
        console: where progress and the tables are shown.
        on_seeding: told how the buffers fill.

    Raises:
        TrainerError: see `run_trial`.
    """
    began = time.perf_counter()
    base = path / BASE_FOLDER
    config = config.model_copy(
        update={"model": config.model.model_copy(update={"path": str(base)})}
    )
    run = RunDirectory.create(path, config)
    held_out = demo_held_out(config, settings)
    save_base(config, held_out, settings, base, console)
    warm_up_seconds = time.perf_counter() - began
    trial = run_trial(
        config,
        run,
        held_out,
        notice=lambda text: console.print(f"[bold]{text}[/]"),
        on_seeding=on_seeding,
    )
    title = f"{settings.problems} held-out problems of each task, seed {config.seed}"
    tables = [
        accuracy_table(trial, config.seed, title),
        time_table(trial, warm_up_seconds),
    ]
    write_tables(run.evaluation_file, tables)
    for table in tables:
        show_table(console, table)
    return trial


def demo_held_out(config: RunConfig, settings: DemoSettings) -> HeldOut:
    """Return the held-out problems of a run: the same ones for the same seed."""
    world = school(config.demo).world
    return draw_held_out(
        config.seed,
        settings.problems,
        settings.step_weights,
        config.tasks.kinds,
        lambda rng, task, weights: world.draw(rng, task, weights).problem,
    )


def save_base(
    config: RunConfig, held_out: HeldOut, settings: DemoSettings, folder: Path, console: Console
) -> None:
    """Make the base model of a run's seed and save it in Hugging Face layout."""
    columns = (TextColumn("warm-up"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    loss_column = TextColumn("loss {task.fields[loss]:.3f}")
    console.print("[bold]a base model is made: random weights, then supervised warm-up[/]")
    with Progress(*columns, loss_column, console=console, transient=True) as bar:
        shown = bar.add_task("", total=settings.warm_up.steps, loss=float("nan"))
        made = make_base(
            config,
            held_out,
            settings.warm_up,
            lambda step, loss: bar.update(shown, completed=step, loss=loss),
        )
    made.model.save_pretrained(folder)
    made.tokenizer.save_pretrained(folder)
