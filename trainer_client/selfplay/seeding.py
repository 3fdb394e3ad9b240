"""Filling the buffers before the first step: from files, or from the zero triplet by proposing.

AZR starts from one identity function and lets the base model propose until each buffer holds 256
valid tasks (arXiv 2505.03335, section 3.3.1; trainers.md, section 4). Its loop has no end when a
model proposes nothing valid; this one stops after `buffers.seed_rounds` with an error that says
what came out.
"""

import logging
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from trainer_client.buffers.azr_format import read_induction, read_triplets
from trainer_client.buffers.zero import zero_error, zero_induction, zero_triplet
from trainer_client.errors import EmptyBuffer, FormatError
from trainer_client.records.kinds import Task
from trainer_client.records.problems import Problem
from trainer_client.rewards.solving import BAD_FORMAT, INFRA_ERROR
from trainer_client.selfplay.arena import Arena
from trainer_client.selfplay.progress import SeedingProgress
from trainer_client.selfplay.proposing import HELD_OUT, propose
from trainer_client.tasks.kind import Accepted, Refused, Unjudged
from trainer_client.tasks.registry import task_kind

log = logging.getLogger(__name__)


def seed_buffers(arena: Arena, progress: SeedingProgress = lambda *_: None) -> None:
    """Fill every task's buffer to `buffers.seed_target`, from files where they are given.

    With the proposer switched off, the files are all there is.

    Raises:
        DataError: a seed file is damaged; the message names the line.
        EmptyBuffer: the model proposed too few valid tasks within the rounds allowed, or there is
            no proposer and no seed of a task's is valid.
    """
    _from_files(arena)
    for task in arena.config.tasks.kinds:
        if arena.config.propose.enabled:
            _from_proposals(arena, task, progress)
        elif not arena.buffers.problems(task):
            raise EmptyBuffer(f"seeding {task}: no seed is valid, and nobody proposes further ones")


def _from_files(arena: Arena) -> None:
    """Load the seed files; without one, every buffer gets its zero entry.

    What a file says of itself is not taken on trust: seeds are validated like proposals, and their
    outputs are the verifier's.
    """
    for task in arena.config.tasks.kinds:
        kind, proposals = task_kind(task), []
        refused: Counter[str] = Counter()
        for problem in _seeds(arena, task):
            try:
                proposals.append(kind.as_proposal(problem, arena.prompts.markup))
            except FormatError:
                refused[BAD_FORMAT] += 1
        checks = [kind.validation(proposal, arena.rules) for proposal in proposals]
        results = iter(arena.verifier.results([item for items in checks for item in items]))
        for proposal, items in zip(proposals, checks, strict=True):
            match kind.accept(proposal, [next(results) for _ in items], 0):
                case Accepted(problem) if not arena.is_held_out(problem):
                    arena.buffers.add(task, problem)
                case Accepted():
                    refused[HELD_OUT] += 1
                case Refused(reason):
                    refused[reason] += 1
                case Unjudged():
                    refused[INFRA_ERROR] += 1
        if refused:
            log.warning("seeds of %s left out: %s", task, dict(refused.most_common()))


def _seeds(arena: Arena, task: Task) -> Sequence[Problem]:
    """Return a task's seeds, not yet validated."""
    settings = arena.config.buffers
    if task is Task.INDUCTION:
        if settings.seed_induction:
            return read_induction(Path(settings.seed_induction))
        return [zero_induction(arena.config.propose.induction_inputs)]
    if task is Task.ERROR:
        return [zero_error()]
    return (
        read_triplets(Path(settings.seed_triplets)) if settings.seed_triplets else [zero_triplet()]
    )


def _from_proposals(arena: Arena, task: Task, progress: SeedingProgress) -> None:
    """Propose until the buffer holds enough, each round on what the last one found."""
    target = arena.config.buffers.seed_target
    seen: Counter[str] = Counter()
    progress(task, len(arena.buffers.problems(task)), target)
    for round_ in range(1, arena.config.buffers.seed_rounds + 1):
        if len(arena.buffers.problems(task)) >= target:
            return
        # Steps count from 1; rounds of seeding from -1 downwards, so that no seed is used twice.
        proposing = propose(arena, -round_, task, arena.config.batch_size, novel=False)
        for candidate in proposing.settle(arena, 0, set()):
            seen[candidate.status] += 1
            if candidate.problem is not None:
                arena.buffers.add(task, candidate.problem)
        progress(task, len(arena.buffers.problems(task)), target)
    if len(arena.buffers.problems(task)) < target:
        raise EmptyBuffer(
            f"seeding {task}: {len(arena.buffers.problems(task))} of {target} tasks after "
            f"{arena.config.buffers.seed_rounds} rounds (what came: {dict(seen.most_common(6))}). "
            "Start from a model that follows the format, give buffers.seed_triplets and "
            "buffers.seed_induction, lower buffers.seed_target or raise buffers.seed_rounds."
        )
