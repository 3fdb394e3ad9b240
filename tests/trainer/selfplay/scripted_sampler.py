"""A sampler that says what it is told; loop, learner and verifier around it are real."""

from collections.abc import Callable, Sequence
from random import Random

from transformers import PreTrainedTokenizerBase

from trainer_client.errors import StaleWeights
from trainer_client.sampling.sampler import Completion, Decoding, Weights

Respond = Callable[[str, Random], str]
LOGPROB = -0.5
"""Of every token."""


class ScriptedSampler:
    """Decodes each prompt, asks `respond` for a text, and encodes it.

    `respond` is given a generator that depends on the seed and the prompt's place alone. Each
    error in `errors` is raised once, instead of an answer; the list may be shared by several.
    """

    def __init__(
        self,
        tokenizer: PreTrainedTokenizerBase,
        respond: Respond,
        errors: list[Exception] | None = None,
    ) -> None:
        self._tokenizer = tokenizer
        self._respond = respond
        self._errors = errors if errors is not None else []
        self._asleep = False
        self.version = 0

    def generate(
        self, prompts: Sequence[Sequence[int]], decoding: Decoding, *, seed: int, version: int
    ) -> list[Completion]:
        if self._asleep or version != self.version:
            raise StaleWeights(f"asleep, or of version {self.version} and not {version}")
        if self._errors:
            raise self._errors.pop(0)
        return [
            self._completion(prompt, decoding.max_tokens, Random(f"{seed}/{place}"))
            for place, prompt in enumerate(prompts)
        ]

    def _completion(self, prompt: Sequence[int], most: int, rng: Random) -> Completion:
        text = self._respond(self._tokenizer.decode(list(prompt)), rng)
        tokens = [
            *self._tokenizer.encode(text, add_special_tokens=False),
            self._tokenizer.eos_token_id,
        ]
        kept = tuple(tokens[:most])
        return Completion(kept, (LOGPROB,) * len(kept), finished=len(tokens) <= most)

    def sleep(self) -> None:
        self._asleep = True

    def wake(self) -> None:
        self._asleep = False

    def sync_weights(self, weights: Weights) -> None:
        assert not self._asleep
        self.version = weights.version

    def close(self) -> None:
        """Nothing to free."""
