"""Supervised fine-tuning steps."""

import pytest
import torch

from tests.trainer.learning.batches import a_learner, assert_close, assert_same, samples, weights
from tests.trainer.sampling.models import qwen, response_logprobs
from trainer_client.errors import NonFiniteLoss
from trainer_client.learning.example import Example


def examples(count: int = 12) -> list[Example]:
    return [
        Example(each.rollout.prompt, each.rollout.response, 1.0 if index % 2 else 0.25)
        for index, each in enumerate(samples(count))
    ]


def test_the_loss_is_the_weighted_mean_over_response_tokens():
    model = qwen()
    total = weight = 0.0
    for each in examples():
        total -= each.weight * float(response_logprobs(model, each.prompt, each.response).sum())
        weight += each.weight * len(each.response)
    metrics = a_learner(learner={"micro_batch_tokens": 64}).sft_update(examples())
    assert metrics["loss/total"] == pytest.approx(total / weight, rel=1e-4)
    assert metrics["learner/response_tokens"] == sum(len(each.response) for each in examples())


def test_the_step_is_independent_of_how_micro_batches_are_cut():
    whole = a_learner(optimizer={"eps": 1e-3})
    parts = a_learner(optimizer={"eps": 1e-3}, learner={"micro_batch_tokens": 64})
    whole.sft_update(examples())
    parts.sft_update(examples())
    assert_close(weights(whole), weights(parts), atol=1e-6)


def test_repeated_steps_learn_the_examples():
    learner = a_learner(optimizer={"lr": 1e-2})
    losses = [learner.sft_update(examples())["loss/total"] for _ in range(40)]
    assert losses[-1] < losses[0] / 4
    assert learner.version == 40


def test_examples_without_weight_or_response_contribute_exactly_nothing():
    alone, among = a_learner(), a_learner()
    alone.sft_update(examples())
    among.sft_update([*examples(), Example((7,), (8, 9), 0.0), Example((7,), ())])
    assert_same(weights(alone), weights(among))
    nothing = a_learner()
    assert nothing.sft_update([Example((7,), ())])["learner/steps"] == 0
    assert nothing.version == 0


def test_a_loss_that_is_no_number_leaves_the_weights_untouched():
    learner = a_learner()
    before = weights(learner)
    with pytest.raises(NonFiniteLoss):
        learner.sft_update([*examples(), Example((7,), (8,), float("nan"))])
    assert_same(weights(learner), before)


def test_optimizers_may_divide_the_parameters():
    from tests.trainer.learning.batches import config
    from tests.trainer.sampling.models import CPU, VOCABULARY
    from trainer_client.learning.learner import Learner

    def divided(model, settings):
        matrices = [each for each in model.parameters() if each.ndim == 2]
        others = [each for each in model.parameters() if each.ndim != 2]
        return [torch.optim.SGD(matrices, lr=0.0), torch.optim.AdamW(others, lr=settings.lr)]

    learner = Learner(qwen(), VOCABULARY, config(), device=CPU, total_steps=10, optimizers=divided)
    before = weights(learner)
    learner.sft_update(examples())
    changed = {
        name for name, value in weights(learner).items() if not torch.equal(value, before[name])
    }
    assert changed == {name for name, value in before.items() if value.ndim != 2}
