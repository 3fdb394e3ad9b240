"""A pipelined run that is killed and resumed is the one that was not, to the last bit."""

from contextlib import ExitStack

import pytest

from tests.trainer.training.base import sections, write_config
from tests.trainer.training.runs import Command, assert_same_run, metrics, steps_done

STEPS = 6


@pytest.fixture(scope="module")
def runs(base, seeds, verifier_url, tmp_path_factory):
    """An unbroken run, and one that was killed in the middle of a batch collected ahead."""
    folder = tmp_path_factory.mktemp("pipelined")
    whole, broken = folder / "whole", folder / "broken"
    changes = {
        "steps": STEPS,
        "checkpoints": {"every": 3},
        "pipeline": {"off_policy_steps": 1},
        "loss": {"importance_cap": 2.0},
    }
    config = write_config(folder / "config.yaml", sections(base, seeds, **changes))
    with ExitStack() as ends:

        def train(run, *more: str) -> Command:
            given = ("--config", str(config), "--verifier", verifier_url, "--run", str(run))
            command = Command("train", *given, *more, log=folder / f"{run.name}{len(more)}.log")
            ends.callback(command.kill)
            return command

        killed = train(broken)
        # The last checkpoint is of step 3; step 6 is being collected, or already learnt from.
        killed.until(lambda: steps_done(broken) >= 4, "the fourth step")
        killed.kill()
        killed_at = steps_done(broken)
        assert train(broken, "--resume").end() == 0
        assert train(whole).end() == 0
    return whole, broken, killed_at


def test_killed_and_resumed_a_pipelined_run_is_the_same_to_the_last_bit(runs):
    whole, broken, killed_at = runs
    assert 4 <= killed_at <= STEPS
    assert_same_run(whole, broken, STEPS)


def test_what_was_compared_is_learnt_one_update_late(runs):
    whole, _, _ = runs
    lines = metrics(whole)
    assert [line["policy/lag"] for line in lines] == [0, 1, 1, 0, 1, 1]
    assert max(line["mismatch/abs"] for line in lines if not line["policy/lag"]) < 1e-4
    assert min(line["mismatch/abs"] for line in lines if line["policy/lag"]) > 1e-4
