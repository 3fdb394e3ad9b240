"""Making the demo's base model: tokenizer, random weights, warm-up."""

from dataclasses import dataclass
from itertools import cycle, islice

from transformers import Qwen2ForCausalLM, Qwen2Tokenizer

from trainer_client.config import RunConfig
from trainer_client.config.demo import WarmUpConfig
from trainer_client.prompts.prompt_set import PromptSet
from trainer_client.sampling.backends import chosen_device
from trainer_client.sampling.vocabulary import Vocabulary
from trainer_client.seeds import derive, generator
from trainer_client.tiny.curriculum import ALL_ROLES, lessons
from trainer_client.tiny.exercises import ExerciseSource
from trainer_client.tiny.heldout import HeldOut
from trainer_client.tiny.model import fresh_model
from trainer_client.tiny.tokenizer import train_tokenizer
from trainer_client.tiny.warmup import OnStep, warm_up
from trainer_client.tiny.worlds.catalogue import school

TOKENIZER_EXERCISES = 2000
"""Exercises that the tokenizer is trained on."""


@dataclass(frozen=True)
class Base:
    """A model and the tokenizer that it was made for."""

    tokenizer: Qwen2Tokenizer
    model: Qwen2ForCausalLM


def make_base(
    config: RunConfig,
    held_out: HeldOut,
    settings: WarmUpConfig,
    on_step: OnStep = lambda step, loss: None,
) -> Base:
    """Make the base model of a run's seed, in the world and the size that its configuration names.

    Held-out pairs are in no lesson.

    Raises:
        NonFiniteLoss: the warm-up went astray.
    """
    prompts = PromptSet.load(config.tasks.prompts, config.tasks.kinds)
    taught = school(config.demo)
    source = ExerciseSource(prompts, config.propose, held_out, taught.world)
    tokenizer = train_tokenizer(
        _texts(source, config.seed), prompts.markup.all_marks(), taught.world.pieces
    )
    model = fresh_model(tokenizer, derive(config.seed, 0, "weights"), config.demo.shape)
    stream = lessons(
        source,
        lambda texts: list(tokenizer(texts, add_special_tokens=False)["input_ids"]),
        tokenizer.eos_token_id,
        generator(config.seed, 0, "warm-up"),
        settings.steps * settings.batch_size,
        taught.stages,
    )
    warm_up(
        model,
        Vocabulary.of(tokenizer, len(tokenizer)),
        stream,
        settings,
        on_step,
        device=chosen_device(config.model),
        compute_dtype=config.model.compute_dtype,
    )
    return Base(tokenizer, model)


def _texts(source: ExerciseSource, seed: int) -> list[str]:
    """Return prompts and responses of all roles for the tokenizer."""
    rng = generator(seed, 0, "tokenizer")
    roles = islice(cycle(ALL_ROLES), TOKENIZER_EXERCISES)
    drawn = (source.draw(rng, role, (1, 1, 1)) for role in roles)
    return [text for one in drawn for text in (one.prompt, one.response)]
