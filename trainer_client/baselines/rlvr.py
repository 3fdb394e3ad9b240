"""RLVR: the solver alone, on a fixed file, with the same rewards, advantages and update.

The seed paper compares self-play with it (section 4): what differs is where the tasks come from.
"""

from trainer_client.baselines.fixed_data import epoch_problems
from trainer_client.selfplay.arena import Arena
from trainer_client.selfplay.solving import score_answers, solve
from trainer_client.selfplay.step import Collected, StepResult, learn_from
from trainer_client.selfplay.stopwatch import Stopwatch


def rlvr_step(arena: Arena, step: int) -> StepResult:
    """Solve a batch of the file's problems, learn from the verdicts, hand over the weights."""
    return learn_from(arena, step, collect_rlvr(arena, step))


def collect_rlvr(arena: Arena, step: int) -> Collected:
    """Solve a batch of the file's problems; nothing is proposed."""
    watch, waited, version = Stopwatch(), arena.verifier.waited, arena.sampled_version
    groups = arena.solver_batch // arena.config.solve.samples_per_problem
    with watch.phase("solve"):
        answers = [
            solve(arena, step, task, epoch_problems(arena, step, task, groups))
            for task in arena.config.tasks.kinds
        ]
    with watch.phase("reward"):
        samples = [s for one in answers for s in score_answers(arena, one)]
    waited = arena.verifier.waited - waited
    overlong = sum(one.overlong for one in answers)
    return Collected(samples, {}, version, overlong, watch, watch.elapsed, waited)
