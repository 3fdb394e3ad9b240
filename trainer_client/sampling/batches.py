"""Dividing the prompts of one call into sub-batches that fit the token budget."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class SubBatch:
    """Rows decoded side by side.

    Attributes:
        prompts: different prompts, longest first; each is read once.
        sources: for each row the index of its prompt in `prompts`.
        rows: for each row its index among the prompts of the call.
    """

    prompts: tuple[tuple[int, ...], ...]
    sources: tuple[int, ...]
    rows: tuple[int, ...]


def sub_batches(prompts: Sequence[Sequence[int]], max_tokens: int, budget: int) -> list[SubBatch]:
    """Sort by length, put equal prompts together and fill each sub-batch up to the budget.

    A sub-batch holds at most ``budget`` tokens, counted as rows × (longest prompt + `max_tokens`);
    a row that is longer than that alone goes alone.

    Raises:
        ValueError: a prompt is empty.
    """
    keys = [tuple(prompt) for prompt in prompts]
    if not all(keys):
        raise ValueError("an empty prompt has nothing to be continued")
    first: dict[tuple[int, ...], int] = {}
    for index, key in enumerate(keys):
        first.setdefault(key, index)
    order = sorted(range(len(keys)), key=lambda row: (-len(keys[row]), first[keys[row]], row))
    batches: list[SubBatch] = []
    start = 0
    while start < len(order):
        width = len(keys[order[start]]) + max_tokens
        rows = order[start : start + max(1, budget // width)]
        unique = list(dict.fromkeys(keys[row] for row in rows))
        place = {key: index for index, key in enumerate(unique)}
        sources = tuple(place[keys[row]] for row in rows)
        batches.append(SubBatch(tuple(unique), sources, tuple(rows)))
        start += len(rows)
    return batches
