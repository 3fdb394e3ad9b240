"""The order in which the warm-up teaches: copying, then one step, then two."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from random import Random

from trainer_client.learning.example import Example
from trainer_client.records.kinds import Role, Task, TaskRole
from trainer_client.tiny.exercises import Exercise, ExerciseSource

Encode = Callable[[list[str]], list[list[int]]]
"""From texts to their token ids, without end tokens."""

ENCODED_AT_ONCE = 512
"""Exercises encoded in one call, which is several times quicker than one by one."""

TASKS = (Task.DEDUCTION, Task.ABDUCTION, Task.INDUCTION)
"""The tasks of the demo."""

SOLVERS = tuple(TaskRole(task, Role.SOLVE) for task in TASKS)
PROPOSERS = tuple(TaskRole(task, Role.PROPOSE) for task in TASKS)

PROPOSER_WEIGHT = 0.5
"""Of a proposer's response token in the loss: they are many, and mostly free choices."""


@dataclass(frozen=True)
class Stage:
    """A part of the warm-up.

    Attributes:
        share: of all lessons.
        roles: drawn from uniformly.
        solved_steps: weights of 1, 2, ... steps of the programs that solvers are asked about.
        proposed_steps: the same of those that proposers write.
    """

    share: float
    roles: Sequence[TaskRole]
    solved_steps: Sequence[float]
    proposed_steps: Sequence[float] = ()


ALL_ROLES = SOLVERS * 3 + PROPOSERS
"""Three lessons of solving to one of proposing."""

CURRICULUM = (
    Stage(0.20, SOLVERS[:1], (1,)),
    Stage(0.25, ALL_ROLES, (1,), (1,)),
    Stage(0.55, ALL_ROLES, (7, 3), (1, 2, 1)),
)
"""Copying first, then one step in every role, then more. (Proposing taught at the very end, as in
the feasibility study, cost the solvers half of what they knew.) Proposers learn to write longer
programs than solvers to solve: nearly all of the 47 with one step soon stand in the buffers."""


def lessons(
    source: ExerciseSource,
    encode: Encode,
    end_id: int,
    rng: Random,
    count: int,
    stages: Sequence[Stage] = CURRICULUM,
) -> Iterator[Example]:
    """Yield ``count`` lessons, stage after stage in the stages' proportions."""
    done, given = 0.0, 0
    for stage in stages:
        done += stage.share
        until = round(done * count)
        while given < until:
            size = min(ENCODED_AT_ONCE, until - given)
            drawn = [_drawn(source, rng, stage) for _ in range(size)]
            yield from _encoded(drawn, encode, end_id)
            given += size


def _drawn(source: ExerciseSource, rng: Random, stage: Stage) -> Exercise:
    role = rng.choice(stage.roles)
    solves = role.role is Role.SOLVE
    return source.draw(rng, role, stage.solved_steps if solves else stage.proposed_steps)


def _encoded(drawn: Sequence[Exercise], encode: Encode, end_id: int) -> Iterator[Example]:
    texts = [text for one in drawn for text in (one.prompt, one.response)]
    ids = iter(encode(texts))
    for exercise in drawn:
        weight = PROPOSER_WEIGHT if exercise.role.role is Role.PROPOSE else 1.0
        yield Example(tuple(next(ids)), (*next(ids), end_id), weight)
