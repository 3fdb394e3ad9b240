"""From prompt texts to rollouts: encoding, sampling, decoding, and a crashed sampler's restart.

A prompt that is too long is skipped and counted, never cut: a cut prompt asks another question.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from trainer_client.config.selfplay import DecodingConfig
from trainer_client.errors import OutOfMemory, SamplerCrashed, StaleWeights
from trainer_client.records.kinds import TaskRole
from trainer_client.records.rollouts import Rollout
from trainer_client.sampling.sampler import Completion, Decoding
from trainer_client.selfplay.arena import Arena

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Asked:
    """One prompt to be answered.

    Attributes:
        role: the task-role that the prompt belongs to.
        text: the rendered prompt.
        group: what the responses to it are grouped by.
    """

    role: TaskRole
    text: str
    group: int


def encode(arena: Arena, text: str) -> tuple[int, ...]:
    """Return a prompt's token ids; the prompt sets write all marks themselves."""
    return tuple(arena.tokenizer.encode(text, add_special_tokens=False))


def speak(
    arena: Arena, asked: Sequence[Asked], decoding: DecodingConfig, *, seed: int
) -> list[Rollout | None]:
    """Sample one response to each prompt, in order; None where the prompt is too long.

    Raises:
        SamplerCrashed: the sampler failed again after its restarts.
        OutOfMemory: the batch does not fit; the message names the setting to lower.
    """
    prompts = [encode(arena, one.text) for one in asked]
    longest = arena.config.lengths.max_prompt_tokens
    fitting = [i for i, prompt in enumerate(prompts) if 0 < len(prompt) <= longest]
    how = Decoding(
        max_tokens=arena.config.lengths.max_response_tokens,
        temperature=decoding.temperature,
        top_p=decoding.top_p,
        top_k=decoding.top_k,
        greedy=decoding.greedy,
    )
    completions = _generate(arena, [prompts[i] for i in fitting], how, seed)
    rollouts: list[Rollout | None] = [None] * len(asked)
    for i, completion in zip(fitting, completions, strict=True):
        rollouts[i] = Rollout(
            role=asked[i].role,
            prompt=prompts[i],
            response=completion.tokens,
            logprobs=completion.logprobs,
            finished=completion.finished,
            group=asked[i].group,
            text=_text(arena, completion),
            temperature=decoding.temperature,
        )
    return rollouts


def fits(arena: Arena, role: TaskRole, variables: Mapping[str, Any]) -> bool:
    """Whether the prompt with these variables is short enough to be asked."""
    prompt = encode(arena, arena.prompts.render(role, variables))
    return len(prompt) <= arena.config.lengths.max_prompt_tokens


def _text(arena: Arena, completion: Completion) -> str:
    """Decode a response without the end token that closed it."""
    tokens = completion.tokens[:-1] if completion.finished else completion.tokens
    text = arena.tokenizer.decode(list(tokens), clean_up_tokenization_spaces=False)
    assert isinstance(text, str)
    return text


def _generate(
    arena: Arena, prompts: list[tuple[int, ...]], how: Decoding, seed: int
) -> list[Completion]:
    """Generate; after a crash build a new sampler from the policy's weights and try again.

    While the learner is at work beside, its weights are those of no version and a crash is final.
    """
    for restarts_left in range(arena.config.sampler.restarts, -1, -1):
        try:
            return arena.sampler.generate(prompts, how, seed=seed, version=arena.sampled_version)
        except (OutOfMemory, StaleWeights):
            raise
        except Exception as error:
            if arena.holds_version:
                raise SamplerCrashed(f"the sampler failed beside the learner: {error!r}") from error
            if not restarts_left:
                raise SamplerCrashed(
                    f"the sampler failed, and again after its restart: {error!r}"
                ) from error
            log.warning("the sampler crashed (%r); it is built anew from the last weights", error)
            arena.rebuild_sampler()
    raise AssertionError("unreachable: the last try returns or raises")
