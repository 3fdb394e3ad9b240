"""The optional terms of the proposer's reward, each in [0, 1], for a batch of valid proposals.

AZR adds them to the difficulty with weights, and reports no gain from complexity, edit distance
and Halstead; the diversity of proposals is ours, a means against collapse. With all weights 0, the
default, nothing is computed.

    reward = difficulty + sum_k weight_k * term_k
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from trainer_client.config.selfplay import RewardConfig
from trainer_client.rewards.distance import edit_distance, proposal_diversity
from trainer_client.rewards.diversity import answer_diversity
from trainer_client.rewards.program_size import complexity, halstead


@dataclass(frozen=True)
class Terms:
    """A proposal's terms, each in [0, 1]; 0 where its weight is 0."""

    complexity: float = 0.0
    halstead: float = 0.0
    edit_distance: float = 0.0
    answer_diversity: float = 0.0
    proposal_diversity: float = 0.0

    def weighted(self, config: RewardConfig) -> float:
        """Return the sum of the terms by the configured weights."""
        return (
            config.complexity_weight * self.complexity
            + config.halstead_weight * self.halstead
            + config.edit_distance_weight * self.edit_distance
            + config.answer_diversity_weight * self.answer_diversity
            + config.proposal_diversity_weight * self.proposal_diversity
        )


@dataclass(frozen=True)
class ProposedText:
    """What the terms look at.

    Attributes:
        text: what the proposer wrote, compared with the batch's other proposals.
        program: the program, where the proposer wrote it; None for induction, whose program comes
            from a buffer and earns its proposer nothing.
        references: programs that the proposer was shown.
        answer: what the solver is asked for, as the buffer would write it; None: no term.
    """

    text: str
    program: str | None
    references: tuple[str, ...] = ()
    answer: str | None = None


def proposal_terms(
    proposals: Sequence[ProposedText], answers: Mapping[str, int], config: RewardConfig
) -> list[Terms]:
    """Return the terms of a batch of valid proposals of one task, in order.

    Args:
        proposals: the valid ones alone: an invalid text is no one's neighbour.
        answers: how often each answer stands in the task's buffer, without this batch.
        config: terms of weight 0 are not computed.
    """
    apart = [0.0] * len(proposals)
    if config.proposal_diversity_weight:
        apart = proposal_diversity([proposal.text for proposal in proposals])
    return [
        _terms(proposal, answers, distance, config)
        for proposal, distance in zip(proposals, apart, strict=True)
    ]


def _terms(
    proposal: ProposedText, answers: Mapping[str, int], apart: float, config: RewardConfig
) -> Terms:
    found = {"proposal_diversity": apart}
    if proposal.program is not None:
        if config.complexity_weight:
            found["complexity"] = complexity(proposal.program)
        if config.halstead_weight:
            found["halstead"] = halstead(proposal.program)
        if config.edit_distance_weight:
            found["edit_distance"] = edit_distance(proposal.program, proposal.references)
    if proposal.answer is not None and config.answer_diversity_weight:
        found["answer_diversity"] = answer_diversity(proposal.answer, answers)
    return Terms(**found)
