"""From a call's decoding to vLLM's requests, and from its outputs to completions."""

from collections.abc import Sequence
from math import isfinite
from typing import Any

from trainer_client.errors import ConfigError, SamplerCrashed
from trainer_client.sampling.sampler import Completion, Decoding
from trainer_client.sampling.vocabulary import Vocabulary
from trainer_client.seeds import derive

BARRED = -1e30
"""Added to a suppressed token's logit: whatever the temperature, its probability is 0."""
MOST_BARRED = 1024
"""vLLM's limit on the tokens of a request that have a bias."""


def barred(vocabulary: Vocabulary) -> dict[int, float] | None:
    """Return the bias that keeps suppressed tokens from being drawn; None: there are none.

    Raises:
        ConfigError: there are more of them than vLLM can be told.
    """
    if len(vocabulary.suppressed) > MOST_BARRED:
        raise ConfigError(
            f"sampler.backend: vllm can suppress {MOST_BARRED} tokens, and the model's embedding "
            f"has {len(vocabulary.suppressed)} rows beyond its tokenizer; set it to transformers"
        )
    return dict.fromkeys(vocabulary.suppressed, BARRED) or None


def parameters(
    decoding: Decoding,
    vocabulary: Vocabulary,
    bias: dict[int, float] | None,
    *,
    seed: int,
    place: int,
) -> dict[str, Any]:
    """Return the arguments of `vllm.SamplingParams` for the prompt at a place of a call.

    The log-probability asked for is the drawn token's alone; the engine is started so that it is
    taken after temperature, suppression, top-k and top-p.
    """
    return {
        "n": 1,
        "temperature": 0.0 if decoding.greedy else decoding.temperature,
        "top_p": 1.0 if decoding.greedy else decoding.top_p,
        "top_k": 0 if decoding.greedy else decoding.top_k,
        "seed": derive(seed, place, "row"),
        "max_tokens": decoding.max_tokens,
        # The ends are the vocabulary's, and no other that a model's files may name.
        "ignore_eos": True,
        "stop_token_ids": list(vocabulary.end_ids),
        "logit_bias": bias,
        "logprobs": 0,
        "flat_logprobs": True,
        "detokenize": False,
    }


def completions(outputs: Sequence[Any], vocabulary: Vocabulary) -> list[Completion]:
    """Read vLLM's `RequestOutput`s, which are in the order of the prompts.

    Raises:
        SamplerCrashed: a request was not carried out, or the model's log-probabilities are no
            numbers.
    """
    return [_completion(output.outputs[0], vocabulary) for output in outputs]


def _completion(output: Any, vocabulary: Vocabulary) -> Completion:
    if output.finish_reason not in {"stop", "length"}:
        raise SamplerCrashed(f"vLLM ended a request with {output.finish_reason!r}")
    tokens = tuple(int(token) for token in output.token_ids)
    flat = output.logprobs
    # Of each position's entries the drawn token's is the first.
    logprobs = tuple(float(flat.logprobs[start]) for start in flat.start_indices)
    if len(logprobs) != len(tokens) or not all(map(isfinite, logprobs)):
        raise SamplerCrashed("the model's log-probabilities are not finite: are its weights?")
    return Completion(tokens, logprobs, bool(tokens) and tokens[-1] in vocabulary.end_ids)
