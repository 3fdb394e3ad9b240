"""A pipelined run that is broken off and resumed is the one that was not, to the last bit."""

import pytest

from tests.trainer.selfplay.arenas import a_config
from tests.trainer.training.base import sections
from tests.trainer.training.runs import assert_same_run, metrics, steps_done
from trainer_client.state.checkpoints import Checkpoints
from trainer_client.training.training import open_run, train

STEPS = 4


class Broken(BaseException):
    """Ends a run at once: nothing in the trainer handles it."""


class Breaker:
    """An observer that breaks a run off after a step, before its state could be saved."""

    def observe(self, step, metrics, samples) -> None:
        if step == 3:
            raise Broken


@pytest.fixture(scope="module")
def runs(base, seeds, verifier_url, tmp_path_factory):
    """An unbroken run, and one that was broken off with a batch collected ahead."""
    folder = tmp_path_factory.mktemp("pipelined")
    changes = {
        "steps": STEPS,
        "checkpoints": {"every": 2},
        "pipeline": {"off_policy_steps": 1},
        "loss": {"importance_cap": 2.0},
        "verifier": {"url": verifier_url},
    }
    config = a_config(**sections(base, seeds, **changes))
    whole, broken = (open_run(folder / name, config, resume=False) for name in ("whole", "broken"))
    assert train(config, whole) == STEPS
    with pytest.raises(Broken):
        train(config, broken, observers=(Breaker(),))
    left = (steps_done(broken.path), Checkpoints(broken, config.checkpoints).newest().step)
    assert train(config, open_run(broken.path, config, resume=True)) == STEPS
    return whole.path, broken.path, left


def test_broken_off_and_resumed_a_pipelined_run_is_the_same_to_the_last_bit(runs):
    whole, broken, left = runs
    assert left == (3, 2), "step 3 is done and lost, and step 4 was collected beside it"
    assert_same_run(whole, broken, STEPS)


def test_what_was_compared_is_learnt_one_update_late(runs):
    whole, _, _ = runs
    lines = metrics(whole)
    assert [line["policy/lag"] for line in lines] == [0, 1, 0, 1]
    assert max(line["mismatch/abs"] for line in lines if not line["policy/lag"]) < 1e-4
    assert min(line["mismatch/abs"] for line in lines if line["policy/lag"]) > 1e-4
