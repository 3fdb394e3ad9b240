"""Putting a run together from its configuration: the one place where the parts are made."""

from pathlib import Path

import torch
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)

from trainer_client.buffers.buffers import TaskBuffers
from trainer_client.config import RunConfig
from trainer_client.errors import ConfigError
from trainer_client.learning.learner import Learner
from trainer_client.prompts.prompt_set import PromptSet
from trainer_client.sampling.sampler import Sampler
from trainer_client.sampling.transformers_sampler import TransformersSampler
from trainer_client.sampling.vocabulary import Vocabulary
from trainer_client.selfplay.arena import Arena
from trainer_client.verifier.session import Verifier


def build_arena(config: RunConfig, verifier: Verifier, *, model_path: Path | None = None) -> Arena:
    """Load the model and make everything that a step needs.

    Args:
        config: the run.
        verifier: an open session; the caller closes it.
        model_path: a checkpoint's model in place of `model.path`.

    Raises:
        ConfigError: the model cannot be loaded, or a setting does not fit this machine.
        OutOfMemory: the model does not fit the device.
    """
    path = str(model_path or config.model.path)
    if not path:
        raise ConfigError("model.path: name a directory or a hub model in Hugging Face layout")
    device = device_of(config)
    tokenizer, model = load_pretrained(path, config)
    vocabulary = Vocabulary.of(tokenizer, model.config.get_text_config().vocab_size)
    updates = config.steps * config.learner.minibatches * config.learner.epochs
    learner = Learner(model, vocabulary, config, device=device, total_steps=updates)
    dtype = sampler_dtype(config)

    def make_sampler() -> Sampler:
        return TransformersSampler(
            learner.model, vocabulary, config.sampler, device=device, dtype=dtype
        )

    prompts = PromptSet.load(config.tasks.prompts, config.tasks.kinds)
    return Arena(
        config=config,
        tokenizer=tokenizer,
        prompts=prompts.forbidding(tokenizer.all_special_tokens),
        learner=learner,
        make_sampler=make_sampler,
        verifier=verifier,
        buffers=TaskBuffers(config.tasks.kinds, config.buffers.capacity),
    )


def device_of(config: RunConfig) -> torch.device:
    """Return the device that the configuration asks for.

    Raises:
        ConfigError: it asks for a GPU, and there is none.
    """
    there = torch.cuda.is_available()
    if config.model.device == "cuda" and not there:
        raise ConfigError("model.device: cuda was asked for, and this machine has no CUDA device")
    return torch.device("cuda" if there and config.model.device != "cpu" else "cpu")


def sampler_dtype(config: RunConfig) -> torch.dtype:
    """Return the precision of the sampler's copy of the weights."""
    name = config.sampler.dtype
    return getattr(torch, config.model.compute_dtype if name == "auto" else name)  # type: ignore[no-any-return]


def load_pretrained(
    path: str, config: RunConfig
) -> tuple[PreTrainedTokenizerBase, PreTrainedModel]:
    """Load a tokenizer and a model with fp32 master weights; no code of theirs is run.

    Raises:
        ConfigError: there is nothing usable at `path`.
    """
    try:
        tokenizer = AutoTokenizer.from_pretrained(path, trust_remote_code=False)
        model = AutoModelForCausalLM.from_pretrained(
            path,
            dtype=torch.float32,
            attn_implementation=config.model.attention,
            trust_remote_code=False,
        )
    except (OSError, ValueError) as error:
        raise ConfigError(f"model.path: {path} cannot be loaded: {error}") from error
    return tokenizer, model
