"""Dealing the micro-batches of a batch to the ranks, which must all make as many passes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from trainer_client.learning.microbatch import Cut

Cutting = Callable[[Sequence[int], int], Cut]
"""Cuts samples of some lengths by a budget of tokens, the costliest micro-batches first."""


@dataclass(frozen=True)
class Deal:
    """All micro-batches, and one rank's.

    Attributes:
        cut: those of all ranks together.
        mine: this rank's, as many as any other's; an empty one stands for a pass without a loss.
    """

    cut: Cut
    mine: tuple[tuple[int, ...], ...]


def deal(lengths: Sequence[int], budget: int, cutting: Cutting, rank: int, size: int) -> Deal:
    """Cut a batch and take every `size`-th micro-batch.

    Micro-batches come in the order of their cost, so those of one round, which the ranks wait for
    each other in, cost about the same. Where the last round would leave ranks idle, all
    micro-batches are made smaller until they fill it.

    Args:
        lengths: tokens of each sample.
        budget: tokens of one micro-batch.
        cutting: how it is cut.
        rank: whose share is wanted.
        size: number of ranks; 1 leaves the cut as it is.
    """
    pieces = cutting(lengths, budget)
    if size > 1:
        pieces = _filling(pieces, lengths, budget, cutting, size)
    rounds = -(-len(pieces.micro_batches) // size)
    mine = pieces.micro_batches[rank::size]
    return Deal(pieces, mine + ((),) * (rounds - len(mine)))


def _filling(pieces: Cut, lengths: Sequence[int], budget: int, cutting: Cutting, size: int) -> Cut:
    """Find the smallest budget that needs no more rounds than `pieces` does."""
    places = -(-len(pieces.micro_batches) // size) * size
    low, high = 1, budget
    while low < high:
        middle = (low + high) // 2
        tried = cutting(lengths, middle)
        if len(tried.micro_batches) <= places:
            pieces, high = tried, middle
        else:
            low = middle + 1
    return pieces
