"""Which cases of an induction problem are shown and which are kept for the judgement."""

from collections.abc import Sequence

from trainer_client.records.problems import Case


def given_and_hidden(cases: Sequence[Case]) -> tuple[tuple[Case, ...], tuple[Case, ...]]:
    """Return the first half, which the solver sees, and the rest, on which it is judged (AZR)."""
    half = len(cases) // 2
    return tuple(cases[:half]), tuple(cases[half:])
