"""torch.compile changes the learner's speed, and its results by rounding alone."""

import shutil

import pytest
import torch

from tests.trainer.learning.batches import a_learner, assert_close, samples, weights
from tests.trainer.sampling.models import VOCABULARY
from trainer_client.sampling.backends import make_sampler

pytestmark = [
    pytest.mark.skipif(
        not (shutil.which("g++") or shutil.which("clang++")), reason="no C++ compiler"
    ),
    # Code is generated and compiled: a minute of one core.
    pytest.mark.timeout(1800),
    # torch's own code generation for the CPU meets deprecations within torch.
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning:torch"),
]


def test_a_compiled_learner_takes_the_same_step():
    torch._dynamo.reset()
    found = []
    for compile_ in (False, True):
        learner = a_learner(
            learner={"compile": compile_, "packing": True, "logprob_chunk_tokens": 16},
            # A large eps keeps AdamW from turning the rounding of a tiny gradient into a step.
            optimizer={"eps": 1e-3},
            checkpointing=True,
        )
        learner.update(samples(10), 0)
        found.append(weights(learner))
    assert learner.model.model.layers[0]._compiled_call_impl is not None
    assert_close(found[0], found[1], atol=1e-6)
    # Names are as before, and a copy of the model is an ordinary one.
    sampler = make_sampler(
        learner.pattern, VOCABULARY, learner._config.model, learner._config.sampler
    )
    sampler.sync_weights(learner)
    assert sampler._model.model.layers[0]._compiled_call_impl is None
