"""Sampler and learner together: a random model learns to please a reward."""

import torch

from tests.trainer.learning.batches import SOLVE, config
from tests.trainer.sampling.models import CPU, VOCABULARY, qwen
from trainer_client.config.model import SamplerConfig
from trainer_client.learning.learner import Learner
from trainer_client.records.rollouts import Rollout, Scored
from trainer_client.sampling.sampler import Decoding
from trainer_client.sampling.transformers_sampler import TransformersSampler

ROWS, STEPS, TOKENS = 64, 40, 8


def small(tokens: tuple[int, ...]) -> float:
    """The share of even ids."""
    return sum(token % 2 == 0 for token in tokens) / len(tokens)


def test_the_reward_rises_and_the_entropy_falls():
    model = qwen()
    settings = config(optimizer={"lr": 1e-2, "betas": (0.9, 0.99)}, learner={"minibatches": 2})
    learner = Learner(model, VOCABULARY, settings, device=CPU, total_steps=2 * STEPS)
    sampler = TransformersSampler(
        model, VOCABULARY, SamplerConfig(), device=CPU, dtype=torch.float32
    )
    history: list[tuple[float, dict[str, float]]] = []
    for step in range(STEPS):
        prompts = [(6 + row % 8, 20) for row in range(ROWS)]
        found = sampler.generate(prompts, Decoding(TOKENS), seed=step, version=learner.version)
        rewards = torch.tensor([small(each.tokens) for each in found])
        advantages = ((rewards - rewards.mean()) / (rewards.std() + 1e-4)).tolist()
        batch = [
            Scored(
                Rollout(SOLVE, prompt, each.tokens, each.logprobs, each.finished, row, ""),
                float(rewards[row]),
                "correct",
                advantage=advantages[row],
            )
            for row, (prompt, each) in enumerate(zip(prompts, found, strict=True))
        ]
        sampler.sleep()
        history.append((float(rewards.mean()), learner.update(batch, seed=step)))
        sampler.wake()
        sampler.sync_weights(learner)
    rewards = [reward for reward, _ in history]
    assert sum(rewards[:3]) / 3 < 0.7
    assert sum(rewards[-3:]) / 3 > 0.95
    assert history[-1][1]["entropy/full"] < history[0][1]["entropy/full"] / 1.5
    assert max(metrics["mismatch/abs_max"] for _, metrics in history) < 1e-3
    assert learner.version == sampler.version == 2 * STEPS
