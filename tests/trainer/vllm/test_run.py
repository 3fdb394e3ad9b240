"""Self-play from end to end: real vLLM engine, real verifier, real update, real weight sync."""

import os
import signal
from pathlib import Path

import pytest
import torch

from tests.trainer.sampling.vllm_engines import NEEDS_VLLM, SETTINGS
from tests.trainer.selfplay.arenas import a_config, a_model
from tests.trainer.training.base import make_base, sections
from tests.trainer.training.runs import metrics
from trainer_client.sampling.sampler import Decoding
from trainer_client.training.training import open_run, train

pytestmark = NEEDS_VLLM
STEPS, CRASH_AFTER = 3, 2


@pytest.fixture(scope="module")
def base(tmp_path_factory) -> Path:
    """A base model with the narrowest heads that vLLM's attention on CPUs has."""
    return make_base(tmp_path_factory.mktemp("base"), a_model(hidden_size=64))


class Spectator:
    """Looks at the arena before and after a run, and kills the engine once in between."""

    def __init__(self) -> None:
        self.engines: list[set[int]] = []
        self.synced = self.stale = float("nan")

    def before(self, arena) -> None:
        self._arena = arena
        self._first = {name: value.clone() for name, value in arena.learner.named_tensors()}
        self.engines.append(set(self._pids()))

    def observe(self, step, metrics, samples) -> None:
        if step == CRASH_AFTER:
            os.kill(self._pids()[0], signal.SIGKILL)

    def after(self, arena) -> None:
        """Compare sampled log-probabilities with those of the last weights and of the first."""
        self.engines.append(set(self._pids()))
        prompt = tuple(arena.tokenizer.encode("<propose_deduction>", add_special_tokens=False))
        version = arena.learner.version
        [found] = arena.sampler.generate([prompt], Decoding(24), seed=0, version=version)
        sampled = torch.tensor(found.logprobs)
        model = arena.learner.model.eval()
        self.synced = float((sampled - scores(model, prompt, found.tokens)).abs().max())
        model.load_state_dict(self._first, strict=False)
        self.stale = float((sampled - scores(model, prompt, found.tokens)).abs().max())

    def _pids(self) -> list[int]:
        return self._arena.sampler._engine.processes.alive


@torch.no_grad()
def scores(model, prompt, response) -> torch.Tensor:
    tokens = torch.tensor([[*prompt, *response]])
    logits = model(input_ids=tokens).logits[0, len(prompt) - 1 : -1].float()
    return logits.log_softmax(-1).gather(1, torch.tensor(response).unsqueeze(1)).squeeze(1)


def test_what_is_sampled_are_the_updated_weights_and_a_killed_engine_is_replaced(
    base, seeds, verifier_url, tmp_path, caplog
):
    folder = tmp_path / "weights"
    folder.mkdir()
    changes = {
        "steps": STEPS,
        "verifier": {"url": verifier_url},
        "tasks": {"kinds": ["deduction"], "prompts": "tiny"},
        "optimizer": {"lr": 1e-2},
        "sampler": {**SETTINGS, "weights_folder": str(folder)},
    }
    config = a_config(**sections(base, seeds, **changes))
    run, spectator = open_run(tmp_path / "run", config, resume=False), Spectator()
    done = train(
        config, run, observers=(spectator,), before=spectator.before, after=spectator.after
    )
    assert done == STEPS
    lines = metrics(run.path)
    # By the learner's own scores, each step's samples were drawn from the weights it then had.
    assert [line["mismatch/abs_max"] < 1e-3 for line in lines] == [True] * STEPS
    assert spectator.synced < 1e-3
    assert spectator.stale > 1e-2
    assert "the sampler crashed" in caplog.text
    first, second = spectator.engines
    assert not first & second
    for pid in first | second:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
    assert list(folder.iterdir()) == []
