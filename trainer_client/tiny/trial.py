"""A trial: held-out accuracy, training, held-out accuracy again, in one run directory."""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from trainer_client.config import RunConfig
from trainer_client.errors import TrainerError
from trainer_client.records.kinds import Task
from trainer_client.records.rollouts import Scored
from trainer_client.selfplay.arena import Arena
from trainer_client.selfplay.progress import SeedingProgress
from trainer_client.state.run_directory import RunDirectory
from trainer_client.tiny.evaluation import TaskScores, evaluate
from trainer_client.tiny.heldout import HeldOut
from trainer_client.training.training import train

SCORES_FILE = "scores.json"
"""The trial's scores and times within the run directory."""

Notice = Callable[[str], None]
"""Told in a few words what begins."""


@dataclass
class Ledger:
    """Seconds by what they were spent on; an observer that adds up the phases of the steps."""

    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def spent_on(self, name: str) -> Iterator[None]:
        """Count the time inside."""
        began = time.perf_counter()
        yield
        self.add(name, time.perf_counter() - began)

    def add(self, name: str, seconds: float) -> None:
        """Count seconds."""
        self.seconds[name] = self.seconds.get(name, 0.0) + seconds

    def observe(self, step: int, metrics: Mapping[str, float], samples: list[Scored]) -> None:
        """Count the phases of a step, and what part of them was waiting for the verifier."""
        for name, value in metrics.items():
            if name.startswith("time/") and not name.endswith("_share"):
                self.add(name.removeprefix("time/"), value)


@dataclass(frozen=True)
class Trial:
    """What a training did to the held-out accuracy, and what it cost.

    Attributes:
        before: scores of the model that it started from.
        after: scores of the model that it ended with, on the same problems.
        seconds: wall time by what it was spent on; ``step`` is all of training, ``waiting`` what
            part of it was waiting for verdicts.
        cpu_seconds: processor time of this process in training, the verifier's not included.
        steps: steps of training.
    """

    before: dict[Task, TaskScores]
    after: dict[Task, TaskScores]
    seconds: dict[str, float]
    cpu_seconds: float
    steps: int

    def as_json(self) -> dict[str, Any]:
        """Return plain data."""
        return asdict(self)


def run_trial(
    config: RunConfig,
    run: RunDirectory,
    held_out: HeldOut,
    *,
    notice: Notice = lambda _: None,
    on_seeding: SeedingProgress = lambda *_: None,
) -> Trial:
    """Evaluate, train and evaluate again; the scores are left in `SCORES_FILE` as well.

    Raises:
        TrainerError: training failed, or was asked to stop before its last step.
    """
    ledger = Ledger()
    scores: dict[str, dict[Task, TaskScores]] = {}
    clock: dict[str, float] = {}

    began = time.perf_counter()

    def measure(arena: Arena, when: str) -> None:
        if when == "before":
            ledger.add("seeding", time.perf_counter() - began)
        clock[when] = time.process_time()
        notice(f"held-out problems {when} training")
        with ledger.spent_on("evaluation"):
            scores[when] = evaluate(arena, held_out)
        clock[f"evaluated {when}"] = time.process_time()

    done = train(
        config,
        run,
        is_held_out=held_out.holds,
        on_seeding=on_seeding,
        observers=(ledger,),
        before=lambda arena: measure(arena, "before"),
        after=lambda arena: measure(arena, "after"),
    )
    if done < config.steps:
        raise TrainerError(f"stopped after {done} of {config.steps} steps: nothing to compare")
    trial = Trial(
        before=scores["before"],
        after=scores["after"],
        seconds=ledger.seconds,
        cpu_seconds=clock["after"] - clock["evaluated before"],
        steps=done,
    )
    scores_file(run.path).write_text(json.dumps(trial.as_json()), encoding="utf-8")
    return trial


def scores_file(run: Path) -> Path:
    """Return the path of a run's scores."""
    return run / SCORES_FILE


def read_trial(run: Path) -> Trial:
    """Read a trial back.

    Raises:
        OSError: the run has no scores.
    """
    return TypeAdapter(Trial).validate_json(scores_file(run).read_bytes())
