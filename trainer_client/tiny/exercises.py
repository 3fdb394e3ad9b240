"""Right exercises of every task-role, made from the grammar through the tasks' own pieces.

The prompt comes from the same template and the same variables as in self-play, the response from
the task's own demonstration: what the warm-up teaches is what self-play will ask for.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from trainer_client.buffers.view import BufferView
from trainer_client.buffers.zero import zero_triplet
from trainer_client.config.selfplay import ProposeConfig
from trainer_client.prompts.prompt_set import PromptSet
from trainer_client.records.kinds import Role, Task, TaskRole
from trainer_client.records.problems import Problem
from trainer_client.tasks.registry import task_kind
from trainer_client.tiny.heldout import HeldOut
from trainer_client.tiny.worlds.strings import StringWorld
from trainer_client.tiny.worlds.thoughts import with_thought
from trainer_client.tiny.worlds.world import Drawn, World

ZERO_SHARE = 0.15
"""References that are AZR's zero triplet: all that a proposer is shown when self-play begins."""

STRINGS = StringWorld()


@dataclass(frozen=True)
class Exercise:
    """A prompt and a right response, as text without an end token."""

    role: TaskRole
    prompt: str
    response: str


class ExerciseSource:
    """Draws exercises; never one whose pairs are held out."""

    def __init__(
        self,
        prompts: PromptSet,
        propose: ProposeConfig,
        held_out: HeldOut,
        world: World = STRINGS,
    ) -> None:
        """Choose what is drawn from; exercises are written in the words of ``prompts``."""
        self._prompts = prompts
        self._propose = propose
        self._held_out = held_out
        self._world = world

    def draw(self, rng: Random, role: TaskRole, step_weights: Sequence[float]) -> Exercise:
        """Draw an exercise of a task-role over programs of so many steps."""
        kind = task_kind(role.task)
        drawn = self._fresh(rng, role.task, step_weights)
        problem = drawn.problem
        if role.role is Role.SOLVE:
            variables = kind.solve_variables(problem)
            answer = kind.demonstration(problem, self._prompts.markup)
            response = with_thought(answer, drawn.thought, self._prompts.markup)
        else:
            view = BufferView(
                [self._reference(rng, step_weights) for _ in range(self._propose.references)],
                ([problem],),
            )
            variables = dict(kind.propose_prompt(view, self._propose, rng).variables)
            response = kind.proposal_demonstration(problem, self._prompts.markup)
        return Exercise(role, self._prompts.render(role, variables), response)

    def _reference(self, rng: Random, step_weights: Sequence[float]) -> Problem:
        if rng.random() < ZERO_SHARE:
            return zero_triplet()
        return self._fresh(rng, Task.DEDUCTION, step_weights).problem

    def _fresh(self, rng: Random, task: Task, step_weights: Sequence[float]) -> Drawn:
        while True:
            drawn = self._world.draw(rng, task, step_weights)
            if not self._held_out.holds(drawn.problem):
                return drawn
