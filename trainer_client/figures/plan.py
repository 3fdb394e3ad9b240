"""`FigurePlan`: how large the study behind the figures is, and where its parts lie.

FOLDER/seed-N/
├── base/               the model that every arm starts from
├── ARM/                a run: self-play, frozen proposer, eq. 3, RLVR, SFT
├── evaluations/MODEL/  results.json: answers to the held-out problems
├── figures/            the seven figures with their numbers and captions
├── times.json          seconds by part
└── index.html          the figures, and whether the paper's phenomena appear
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from trainer_client.config import RunConfig
from trainer_client.config.loading import load
from trainer_client.tiny.demo import DemoSettings

ARMS: Final = ("selfplay", "balanced", "frozen", "rlvr", "sft")
"""The arms that the figures need, of `trainer_client.tiny.arms`."""
BASE: Final = "base"
PRESET: Final = "tiny-demo"
QUICK: Final = (
    "demo.warm_up.steps=150",
    "demo.warm_up.batch_size=32",
    "steps=4",
    "batch_size=16",
    "solve.batch_size=32",
    "propose.montecarlo_rollouts=2",
    "buffers.seed_target=16",
)
"""Overrides of a trial run, which shows that everything works and nothing else."""


@dataclass(frozen=True)
class FigurePlan:
    """A study of one seed.

    Attributes:
        folder: of the seed.
        config: the demo's configuration, with the base as its model.
        demo: warm-up and held-out problems.
        samples: answers to each held-out problem, by each model: the largest k.
        births: spans of steps that proposed tasks are taken from.
        tasks: proposed tasks of each span.
        responses: answers to each of them.
    """

    folder: Path
    config: RunConfig
    demo: DemoSettings
    samples: int
    births: int
    tasks: int
    responses: int

    @classmethod
    def make(cls, folder: Path, seed: int, overrides: tuple[str, ...], *, quick: bool) -> Self:
        """Return the plan of a seed.

        Raises:
            ConfigError: an override is not allowed.
        """
        own = folder.resolve() / f"seed-{seed}"
        given = (*(QUICK if quick else ()), *overrides)
        base = f"model.path={own / BASE}"
        # A killed study loses little: its runs are resumed.
        config = load(PRESET, [base, "checkpoints.every=10", *given, f"seed={seed}"])
        demo = DemoSettings.of(config, 12 if quick else 300)
        if quick:
            return cls(own, config, demo, samples=8, births=2, tasks=6, responses=2)
        return cls(own, config, demo, samples=32, births=6, tasks=40, responses=8)

    @property
    def base(self) -> Path:
        """The base model's folder."""
        return self.folder / BASE

    @property
    def figures(self) -> Path:
        """Where the figures go."""
        return self.folder / "figures"

    def run(self, arm: str) -> Path:
        """Return an arm's run directory."""
        return self.folder / arm

    def evaluation(self, model: str) -> Path:
        """Return the folder of a model's evaluation on the held-out problems."""
        return self.folder / "evaluations" / model
