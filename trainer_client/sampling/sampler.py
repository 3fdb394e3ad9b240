"""The sampler's contract: tokens and their log-probabilities out, new weights in.

Every implementation passes tests/trainer/sampling/test_contract.py. A step runs

    generate ... -> sleep -> (the learner updates) -> wake -> sync_weights -> generate ...

and a sampler refuses to generate with weights of another version than it is asked for, so that a
forgotten sync is an error and never a silently off-policy batch.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from torch import Tensor


@dataclass(frozen=True)
class Decoding:
    """How one call samples.

    Attributes:
        max_tokens: response tokens at most, the end token included.
        temperature: divides the logits; above 0.
        top_p: nucleus; 1 keeps all.
        top_k: likeliest tokens kept; 0 keeps all.
        greedy: take the likeliest token (its log-probability is recorded at temperature 1).
    """

    max_tokens: int
    temperature: float = 1.0
    top_p: float = 1.0
    top_k: int = 0
    greedy: bool = False


@dataclass(frozen=True)
class Completion:
    """What was sampled for one prompt.

    Attributes:
        tokens: response token ids, the end token included when it was reached.
        logprobs: log-probability of each token under the distribution it was drawn from.
        finished: the end token was reached before `max_tokens`.
    """

    tokens: tuple[int, ...]
    logprobs: tuple[float, ...]
    finished: bool


class Weights(Protocol):
    """A policy's parameters at one version, as the learner hands them to samplers."""

    @property
    def version(self) -> int:
        """Counts optimizer updates; 0 is the model as loaded."""
        ...

    def named_tensors(self) -> Iterator[tuple[str, Tensor]]:
        """Yield every parameter under its Hugging Face name, whole, tied ones once."""
        ...


class Sampler(Protocol):
    """Generates responses."""

    @property
    def version(self) -> int:
        """The version of the weights that the next response would be drawn from."""
        ...

    def generate(
        self,
        prompts: Sequence[Sequence[int]],
        decoding: Decoding,
        *,
        seed: int,
        version: int,
        places: Sequence[int] | None = None,
    ) -> list[Completion]:
        """Sample one response to each prompt, in order.

        The same prompts, decoding, seed and weights give the same responses. What a prompt is
        answered depends on its place, and not on what else is asked in the call (but for rounding).

        Args:
            prompts: token ids.
            decoding: how to sample.
            seed: of the call.
            version: of the weights that are to be sampled from.
            places: of the prompts in a larger call that several samplers share, so that its
                division does not show; None: 0, 1, 2 and so on.

        Raises:
            StaleWeights: the sampler's weights are not of `version`, or it is asleep.
            OutOfMemory: the batch does not fit.
        """
        ...

    def sleep(self) -> None:
        """Give the device's memory to the learner, as far as the implementation can."""
        ...

    def wake(self) -> None:
        """Take it back; weights are those of the last sync until the next one."""
        ...

    def sync_weights(self, weights: Weights) -> None:
        """Take over the policy's weights and their version."""
        ...

    def close(self) -> None:
        """End its processes and free what it holds; it is of no further use. Twice is once."""
        ...
