"""SFT: cross entropy on right answers to a fixed file's problems, in the asked form.

Nothing is sampled and nothing verified; one step is one optimizer step, whatever
`learner.minibatches` says. The batch, the optimizer and the checkpoints are those of
the other algorithms, so that weights can be compared (update sparsity, the seed paper's section 6).
"""

from trainer_client.baselines.fixed_data import epoch_problems
from trainer_client.learning.example import Example
from trainer_client.selfplay.arena import Arena
from trainer_client.selfplay.demonstrations import demonstrate
from trainer_client.selfplay.step import StepResult
from trainer_client.selfplay.stopwatch import Stopwatch


def sft_step(arena: Arena, step: int) -> StepResult:
    """Learn one batch of demonstrations for each task."""
    watch = Stopwatch()
    with watch.phase("demonstrate"):
        shown = [
            demonstrate(arena, task, problem, group)
            for task in arena.config.tasks.kinds
            for group, problem in enumerate(epoch_problems(arena, step, task, arena.solver_batch))
        ]
    samples = [one for one in shown if one is not None]
    with watch.phase("update"):
        update = arena.learner.sft_update(
            [Example(one.rollout.prompt, one.rollout.response) for one in samples]
        )
    overlong = {"prompts/overlong": float(len(shown) - len(samples))}
    return StepResult(samples, update | watch.metrics(0.0) | overlong)
