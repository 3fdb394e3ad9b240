"""How rare an answer is among those that the buffer already asks for."""

from collections.abc import Mapping


def answer_diversity(answer: str, counts: Mapping[str, int]) -> float:
    """Return 1 - the share of the buffer's answers that equal this one; 1 for an unseen answer.

    AZR's `answer_diversity` without its types: the surprise of an answer under the buffer's
    distribution. Its argument is what the solver is asked for: outputs for deduction, inputs for
    abduction, error names for the error task.

    Args:
        answer: as the buffer would write it; compared as text.
        counts: how often each answer stands in the buffer, without this proposal.
    """
    total = sum(counts.values())
    return 1.0 - counts.get(answer, 0) / total if total else 1.0
