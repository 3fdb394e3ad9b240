"""`ParallelSampler`: every rank answers its share of the prompts, and all get all answers."""

from collections.abc import Sequence
from typing import TypeVar

import torch

from trainer_client.parallel.ranks import Ranks
from trainer_client.sampling.sampler import Completion, Decoding, Sampler, Weights

T = TypeVar("T", int, float)


class ParallelSampler:
    """A sampler on every rank, as one for all of them.

    A response depends on its prompt's place among all of the call's prompts, so that it is the same
    for any number of ranks (but for rounding). Shares are consecutive: equal prompts, which a
    sampler reads only once, stay together.
    """

    def __init__(self, own: Sampler, ranks: Ranks) -> None:
        """Take this rank's sampler."""
        self._own = own
        self._ranks = ranks

    @property
    def version(self) -> int:
        """The version of this rank's weights; all have the same."""
        return self._own.version

    def generate(
        self,
        prompts: Sequence[Sequence[int]],
        decoding: Decoding,
        *,
        seed: int,
        version: int,
        places: Sequence[int] | None = None,
    ) -> list[Completion]:
        """Sample one response to each prompt; see `Sampler.generate`.

        Raises:
            StaleWeights: on all ranks, where one had it; likewise the others.
            OutOfMemory: a rank's share does not fit.
            PeerFailed: another rank's sampler crashed.
        """
        ranks = self._ranks
        share = range(
            len(prompts) * ranks.rank // ranks.size, len(prompts) * (ranks.rank + 1) // ranks.size
        )
        found = ranks.agree(
            lambda: self._own.generate(
                [prompts[index] for index in share],
                decoding,
                seed=seed,
                version=version,
                places=share if places is None else [places[index] for index in share],
            )
        )
        return self._gathered(found)

    def sleep(self) -> None:
        """Give this rank's device to its learner."""
        self._own.sleep()

    def wake(self) -> None:
        """Take it back."""
        self._own.wake()

    def sync_weights(self, weights: Weights) -> None:
        """Take over the policy's weights; all ranks gather them together."""
        self._own.sync_weights(weights)

    def close(self) -> None:
        """Close this rank's sampler."""
        self._own.close()

    def _gathered(self, own: Sequence[Completion]) -> list[Completion]:
        """Put the shares together, bit for bit."""
        # Twice the length, and in the lowest bit whether the end token was reached.
        sizes = self._all([2 * len(one.tokens) + one.finished for one in own], torch.int64)
        tokens = self._all([token for one in own for token in one.tokens], torch.int64)
        logprobs = self._all([value for one in own for value in one.logprobs], torch.float64)
        found, start = [], 0
        for size in sizes:
            end = start + size // 2
            found.append(
                Completion(tuple(tokens[start:end]), tuple(logprobs[start:end]), bool(size % 2))
            )
            start = end
        return found

    def _all(self, mine: list[T], dtype: torch.dtype) -> list[T]:
        parts = self._ranks.gather(torch.tensor(mine, dtype=dtype))
        values: list[T] = torch.cat(parts).tolist()
        return values


def shared(own: Sampler, ranks: Ranks) -> Sampler:
    """Return the sampler of a whole run: the only rank's own, or one for all of them."""
    return own if ranks.size == 1 else ParallelSampler(own, ranks)
