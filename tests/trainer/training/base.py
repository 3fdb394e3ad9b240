"""A base model that speaks the tiny prompt set, and seed files: what a run starts from on disk."""

from pathlib import Path
from random import Random
from typing import Any

import torch
import yaml
from transformers import Qwen2ForCausalLM

from tests.trainer.selfplay.arenas import SMALL, a_config, a_model, tokenizer
from tests.trainer.selfplay.players import induction, inputs, program, proposal, triplet
from trainer_client.buffers.azr_format import write_induction, write_triplets
from trainer_client.learning.example import Example
from trainer_client.learning.learner import Learner
from trainer_client.sampling.vocabulary import Vocabulary

STEPS = 50
BATCH = 16


def make_base(folder: Path, model: Qwen2ForCausalLM | None = None) -> Path:
    """Teach a random model the forms of responses, with digits at random in them, and save it.

    What it then samples is well-formed more often than not, and right now and then.
    """
    model = model or a_model()
    config = a_config(optimizer={"lr": 2e-2, "schedule": "linear"})
    vocabulary = Vocabulary.of(tokenizer(), model.config.vocab_size)
    learner = Learner(model, vocabulary, config, device=torch.device("cpu"), total_steps=STEPS)
    rng = Random(0)
    for _ in range(STEPS):
        learner.sft_update([_example(rng) for _ in range(BATCH)])
    model.save_pretrained(str(folder))
    tokenizer().save_pretrained(str(folder))
    return folder


def _example(rng: Random) -> Example:
    k, a, b = rng.randint(1, 3), rng.randint(1, 4), rng.randint(1, 4)
    source, shown = f"<p>{program(k)}</p>", f"<p>{program(k)}</p><i>{a}</i>"
    case = f"<i>{a}</i><o>{a + k}</o>"
    prompt, response = rng.choice(
        [
            (f"<propose_deduction>{shown}", proposal(program(rng.randint(1, 9)), str(b))),
            (f"<propose_abduction>{shown}", proposal(program(rng.randint(1, 9)), str(b))),
            (f"<propose_induction>{source}", inputs(*rng.sample(range(1, 10), 4))),
            (f"<solve_deduction>{shown}", _lone(b + k)),
            (f"<solve_abduction>{source}<o>{a + k}</o>", _lone(b)),
            (f"<solve_induction>{case}{case}", _lone(program(rng.randint(1, 3)))),
        ]
    )
    end = tokenizer().eos_token_id
    encode = tokenizer().encode
    return Example(
        tuple(encode(prompt, add_special_tokens=False)),
        (*encode(response, add_special_tokens=False), end),
    )


def _lone(answer: object) -> str:
    return f"<think></think><answer>{answer}</answer>"


def write_seeds(folder: Path) -> dict[str, str]:
    """Write seed files in AZR's format and return the settings that name them."""
    triplets, cases = folder / "triplets.jsonl", folder / "induction.jsonl"
    write_triplets(triplets, [triplet(k, a) for k in (1, 2, 3) for a in (1, 2)])
    write_induction(cases, [induction(k, 1, 2, 3, 4) for k in (1, 2, 3)])
    return {"seed_triplets": str(triplets), "seed_induction": str(cases)}


def sections(base: Path, seeds: dict[str, str], **changes: Any) -> dict[str, Any]:
    """Return a run's configuration as plain data; the sections given are merged into it."""
    usual: dict[str, Any] = {
        **SMALL,
        "model": {**SMALL["model"], "path": str(base)},
        "lengths": {"max_prompt_tokens": 128, "max_response_tokens": 24},
        "propose": {**SMALL["propose"], "montecarlo_rollouts": 2},
        "buffers": {"seed_target": 3, **seeds},
        "loss": {"entropy_coef": 0.01},
        "logging": {"tensorboard": False, "rollouts_per_step": 1},
    }
    for name, value in changes.items():
        merged = isinstance(value, dict) and name in usual
        usual[name] = {**usual[name], **value} if merged else value
    return usual


def write_config(path: Path, values: dict[str, Any]) -> Path:
    path.write_text(yaml.safe_dump(values))
    return path
