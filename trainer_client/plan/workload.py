"""`Workload`: how many responses a step samples and learns from, and how long they are taken to be.

Lengths are the one thing that no configuration says: they are assumed, or measured in a run
(`metrics.jsonl` has them) and given.
"""

from dataclasses import dataclass

from trainer_client.config.run import RunConfig


@dataclass(frozen=True)
class Lengths:
    """Tokens.

    Attributes:
        prompt: of a prompt, on average.
        response: of a response, on average.
        longest: of the longest response of a batch.
    """

    prompt: float
    response: float
    longest: float


@dataclass(frozen=True)
class Workload:
    """Responses of one step.

    Attributes:
        proposals: sampled by the proposer.
        solutions: sampled by the solver, to be learnt from.
        estimates: sampled to estimate difficulty.
        valid: proposals whose difficulty is estimated.
        taught: responses that the update learns from.
        passes: forward passes over them besides those of the update, to score them beforehand.
        steps: optimizer steps.
        epochs: passes of the update over the batch.
        kinds: tasks; each phase samples them one after another.
    """

    proposals: int
    solutions: int
    estimates: int
    valid: int
    taught: int
    passes: int
    steps: int
    epochs: int
    kinds: int


VALID_SHARE = 0.75
"""Share of the proposals that turn out valid, unless it is said."""


def workload(config: RunConfig, valid_share: float = VALID_SHARE) -> Workload:
    """Return what a step does.

    Args:
        config: the run.
        valid_share: of the proposals, between 0 and 1.
    """
    kinds = len(config.tasks.kinds)
    selfplay = config.algorithm == "selfplay"
    proposals = config.batch_size * kinds if selfplay and config.propose.enabled else 0
    valid = round(proposals * valid_share)
    answers = (config.solve.batch_size or config.batch_size) * kinds
    solutions = 0 if config.algorithm == "sft" else answers
    learner, loss = config.learner, config.loss
    several = learner.minibatches * learner.epochs > 1
    before = several and learner.old_logprobs == "recompute"
    return Workload(
        proposals=proposals,
        solutions=solutions,
        estimates=valid * config.propose.montecarlo_rollouts,
        valid=valid,
        taught=answers + (proposals if config.propose.train else 0),
        passes=int(before or loss.entropy_top_share < 1),
        steps=learner.minibatches * learner.epochs,
        epochs=learner.epochs,
        kinds=kinds,
    )
