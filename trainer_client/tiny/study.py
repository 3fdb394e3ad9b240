"""The study behind the demo's claim: several seeds, self-play and its controls, one table.

Each seed has a base model of its own, from which all its arms start, and held-out problems of its
own, on which all are measured before and after. Every base and every arm is a process, so that a
large machine runs many side by side; what is done already is not done again.
"""

import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from statistics import fmean, stdev

from rich.console import Console

from trainer_client.config import RunConfig
from trainer_client.config.loading import load
from trainer_client.errors import TrainerError
from trainer_client.records.kinds import Task
from trainer_client.report.evaluation import Table
from trainer_client.state.run_directory import RunDirectory
from trainer_client.tiny.arms import ARMS
from trainer_client.tiny.demo import DemoSettings, demo_held_out, save_base
from trainer_client.tiny.evaluation import TaskScores
from trainer_client.tiny.tables import MEASURES
from trainer_client.tiny.trial import Trial, read_trial, run_trial, scores_file

JOB = "trainer_client.tiny.study_job"
"""The module that a process of the study runs."""


@dataclass(frozen=True)
class Study:
    """What is to be run and where.

    Attributes:
        folder: holds ``seed-N/base`` and ``seed-N/ARM`` for each seed and arm.
        seeds: of base models, held-out problems and runs alike.
        arms: names in `ARMS`.
        jobs: processes side by side.
        overrides: `key.path=value` for every arm.
        verifier_url: where all of them have their verdicts from.
    """

    folder: Path
    seeds: Sequence[int]
    arms: Sequence[str]
    jobs: int
    overrides: Sequence[str]
    verifier_url: str

    def run_folder(self, seed: int, arm: str) -> Path:
        """Return the run directory of an arm, or the base's folder."""
        return self.folder / f"seed-{seed}" / arm


def run_study(study: Study, notice: Callable[[str], None] = lambda _: None) -> Table:
    """Run what is not yet there, bases first, and return the table over all seeds.

    Raises:
        TrainerError: a process failed; the message names its log.
    """
    bases = [
        (seed, "base")
        for seed in study.seeds
        if not (study.run_folder(seed, "base") / "config.json").exists()
    ]
    arms = [
        (seed, arm)
        for seed, arm in product(study.seeds, study.arms)
        if not scores_file(study.run_folder(seed, arm)).exists()
    ]
    for jobs in (bases, arms):
        with ThreadPoolExecutor(max(1, study.jobs)) as pool:
            for seed, name in pool.map(lambda job: _run_job(study, *job), jobs):
                notice(f"seed {seed}: {name} is done")
    return study_table(study)


def study_table(study: Study) -> Table:
    """Return mean and sample standard deviation over the seeds, for each arm, task and measure."""
    rows: list[list[str | int | float | None]] = []
    for arm in study.arms:
        trials = [read_trial(study.run_folder(seed, arm)) for seed in study.seeds]
        for task, (field, name) in product(trials[0].before, MEASURES.items()):
            before = [_score(trial.before, task, field) for trial in trials]
            after = [_score(trial.after, task, field) for trial in trials]
            gains = [b - a for a, b in zip(before, after, strict=True)]
            each = ", ".join(f"{gain:+.1f}" for gain in gains)
            rows.append(
                [f"{arm} · {task} {name}", _spread(before), _spread(after), _spread(gains), each]
            )
    notes = [f"{arm}: {ARMS[arm].summary}; {_costs(study, arm)}." for arm in study.arms]
    return Table(
        title=f"Held-out accuracy over {len(study.seeds)} seeds, % (mean ± standard deviation)",
        columns=["", "before", "after", "change", "change by seed"],
        rows=rows,
        notes=notes,
    )


def make_study_base(config: RunConfig, folder: Path, settings: DemoSettings) -> None:
    """Make the base model of a seed (the work of one process)."""
    save_base(config, demo_held_out(config, settings), settings, folder, Console())


def run_arm(config: RunConfig, arm: str, base: Path, path: Path, settings: DemoSettings) -> Trial:
    """Train one arm from a seed's base model (the work of one process).

    Raises:
        TrainerError: see `run_trial`.
    """
    held_out = demo_held_out(config, settings)
    config = config.model_copy(
        update={"model": config.model.model_copy(update={"path": str(base)})}
    )
    config = ARMS[arm].configure(config, held_out, path.with_name(f"{path.name}.data"))
    return run_trial(config, RunDirectory.create(path, config), held_out, notice=print)


def study_configuration(seed: int, overrides: Iterable[str]) -> RunConfig:
    """Return the demo's configuration for a seed.

    Raises:
        ConfigError: an override is not allowed.
    """
    return load("tiny-demo", [*overrides, f"seed={seed}"])


def _run_job(study: Study, seed: int, name: str) -> tuple[int, str]:
    """Run a process of the study; its output goes to a log beside its folder."""
    folder = study.run_folder(seed, name)
    folder.parent.mkdir(parents=True, exist_ok=True)
    overrides = [*study.overrides, f"verifier.url={study.verifier_url}"]
    command = [sys.executable, "-m", JOB, name, str(seed), str(folder.parent), *overrides]
    threads = max(1, (os.cpu_count() or 1) // max(1, study.jobs))
    log = folder.with_name(f"{name}.log")
    with log.open("wb") as output:
        ended = subprocess.run(  # noqa: S603 - our own module, no shell
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env={**os.environ, "OMP_NUM_THREADS": str(threads)},
            check=False,
        )
    if ended.returncode:
        raise TrainerError(f"{name} of seed {seed} ended with {ended.returncode}: see {log}")
    return seed, name


def _score(scores: dict[Task, TaskScores], task: Task, field: str) -> float:
    value: float = getattr(scores[task], field).mean
    return value


def _spread(values: Sequence[float]) -> str:
    return f"{fmean(values):.1f} ± {stdev(values):.1f}" if len(values) > 1 else f"{values[0]:.1f}"


def _costs(study: Study, arm: str) -> str:
    trials = [read_trial(study.run_folder(seed, arm)) for seed in study.seeds]
    seconds = fmean(trial.cpu_seconds for trial in trials)
    return f"{trials[0].steps} steps, {seconds:.0f} processor seconds of the trainer"
