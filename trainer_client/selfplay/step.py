"""One step of Absolute Zero self-play, readable from top to bottom (arXiv 2505.03335, algorithm 1).

The order keeps the verifier busy while the sampler speaks: proposals are validated while the solver
answers, answers are judged while difficulties are estimated, and the costliest estimates come
first, so that little is left to wait for when the last response has been sampled.
"""

from dataclasses import dataclass

from trainer_client.algorithms.advantages import estimate as estimate_advantages
from trainer_client.records.kinds import Role, Task
from trainer_client.records.rollouts import Scored
from trainer_client.rewards.shuffling import shuffle_rewards
from trainer_client.seeds import derive, generator
from trainer_client.selfplay.arena import Arena
from trainer_client.selfplay.difficulty import Estimating, estimate
from trainer_client.selfplay.pricing import Rated, score_proposals
from trainer_client.selfplay.proposing import VALID, Candidate, Proposing, propose
from trainer_client.selfplay.solving import draw_problems, score_answers, solve
from trainer_client.selfplay.statistics import step_metrics
from trainer_client.selfplay.stopwatch import Stopwatch


@dataclass(frozen=True)
class StepResult:
    """What a step leaves behind: its samples and its numbers."""

    samples: list[Scored]
    metrics: dict[str, float]


def self_play_step(arena: Arena, step: int) -> StepResult:
    """Propose, solve, price, learn; then hand the new weights to the sampler.

    Raises:
        EmptyBuffer: a buffer has nothing to draw from.
        TrainerError: see `trainer_client.errors`; the policy is then as before the step.
    """
    watch, waited = Stopwatch(), arena.verifier.waited
    problems = draw_problems(arena, step)
    with watch.phase("propose"):
        proposals = _propose_all(arena, step)
    with watch.phase("solve"):
        answers = [solve(arena, step, task, drawn) for task, drawn in problems.items()]
    with watch.phase("validate"):
        claimed: set[str] = set()
        candidates = {one.task: one.settle(arena, step, claimed) for one in proposals}
    with watch.phase("montecarlo"):
        estimates = _estimate_all(arena, step, candidates)
        rated = _rate_all(candidates, estimates)
    with watch.phase("reward"):
        samples = [s for task in rated for s in score_proposals(arena, task, rated[task])]
        samples += [s for one in answers for s in score_answers(arena, one)]
    waited = arena.verifier.waited - waited

    with watch.phase("update"):
        update = learn(arena, step, samples)
    with watch.phase("sync"):
        arena.sampler.sync_weights(arena.learner)
    overlong = sum(one.overlong for one in proposals) + sum(one.overlong for one in answers)
    overlong += sum(one.overlong for one in estimates.values())
    _remember(arena, candidates)
    metrics = step_metrics(arena, samples) | update | watch.metrics(waited)
    return StepResult(samples, metrics | {"prompts/overlong": float(overlong)})


def learn(arena: Arena, step: int, samples: list[Scored]) -> dict[str, float]:
    """Turn rewards into advantages and make one update of the policy.

    A frozen proposer's samples are priced like all others and then left out.
    """
    config = arena.config
    if config.rewards.shuffled:
        shuffle_rewards(samples, generator(config.seed, step, "shuffle"))
    if not config.propose.train:
        samples = [one for one in samples if one.rollout.role.role is not Role.PROPOSE]
    estimate_advantages(samples, config.advantages, config.propose.advantage_scale)
    arena.sampler.sleep()
    update = arena.learner.update(samples, seed=derive(config.seed, step, "update"))
    arena.sampler.wake()
    return update


def _propose_all(arena: Arena, step: int) -> list[Proposing]:
    """Propose a batch for each task, unless the proposer is switched off."""
    if not arena.config.propose.enabled:
        return []
    tasks = arena.config.tasks.kinds
    count, novel = arena.config.batch_size, arena.config.propose.novel_programs
    return [propose(arena, step, task, count, novel=novel) for task in tasks]


def _estimate_all(
    arena: Arena, step: int, candidates: dict[Task, list[Candidate]]
) -> dict[Task, Estimating]:
    """Have all valid proposals answered, those of the task that is costliest to verify first."""
    estimates = {}
    for task in sorted(candidates, key=_cost_to_verify, reverse=True):
        valid = [one for one in candidates[task] if one.status == VALID]
        estimates[task] = estimate(arena, step, task, valid)
    return estimates


def _rate_all(
    candidates: dict[Task, list[Candidate]], estimates: dict[Task, Estimating]
) -> dict[Task, list[Rated]]:
    """Wait for the verdicts and put each valid proposal's solve rate beside it."""
    rated: dict[Task, list[Rated]] = {}
    for task, all_of_task in candidates.items():
        valid, found = estimates[task].candidates, estimates[task].solve_rates()
        rates = {id(one): rate for one, rate in zip(valid, found, strict=True)}
        rated[task] = [(one, rates.get(id(one))) for one in all_of_task]
    return rated


def _cost_to_verify(task: Task) -> int:
    """Return how many runs an answer costs: induction's many cases, deduction's none."""
    return {Task.INDUCTION: 3, Task.ABDUCTION: 2}.get(task, 1)


def _remember(arena: Arena, candidates: dict[Task, list[Candidate]]) -> None:
    """Put the valid proposals into their buffers, whatever their difficulty (as AZR does)."""
    for task, all_of_task in candidates.items():
        for one in all_of_task:
            if one.problem is not None:
                arena.buffers.add(task, one.problem)
