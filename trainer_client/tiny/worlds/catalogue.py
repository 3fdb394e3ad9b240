"""The worlds by the names that a configuration gives them, each with its lessons' order."""

from collections.abc import Sequence
from dataclasses import dataclass

from trainer_client.config.demo import DemoConfig
from trainer_client.tiny.curriculum import ALL_ROLES, CURRICULUM, SOLVERS, Stage
from trainer_client.tiny.worlds.strings import StringWorld
from trainer_client.tiny.worlds.typed import TypedWorld
from trainer_client.tiny.worlds.world import World

TYPED_CURRICULUM = (
    Stage(0.15, SOLVERS[:1], (1,)),
    Stage(0.20, ALL_ROLES, (1,), (1,)),
    Stage(0.65, ALL_ROLES, (4, 3, 2), (1, 2, 2, 1)),
)
"""What operations do first, then one step in every role, then chains."""


@dataclass(frozen=True)
class School:
    """A world and how it is taught."""

    world: World
    stages: Sequence[Stage]


def school(config: DemoConfig) -> School:
    """Return what a demo's configuration names."""
    match config.world:
        case "strings":
            return School(StringWorld(), CURRICULUM)
        case "typed":
            return School(TypedWorld(traces=config.traces), TYPED_CURRICULUM)
