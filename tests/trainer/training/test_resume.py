"""A run that is killed and resumed ends as the one that was not, to the last bit."""

import json
import signal
from collections import Counter
from contextlib import ExitStack

import pytest

from tests.trainer.training.base import sections, write_config
from tests.trainer.training.runs import Command, assert_same_run, metrics, steps_done
from trainer_client.state.checkpoints import Checkpoints
from trainer_client.state.run_directory import RunDirectory

STEPS = 7


@pytest.fixture(scope="module")
def interrupted(base, seeds, verifier_url, tmp_path_factory):
    """An unbroken run, and one that was killed, then asked to stop, then done to its end."""
    folder = tmp_path_factory.mktemp("runs")
    whole, broken = folder / "whole", folder / "broken"
    values = sections(base, seeds, steps=STEPS, checkpoints={"every": 2})
    config = write_config(folder / "config.yaml", values)

    def train(run, *more: str) -> Command:
        given = ("--config", str(config), "--verifier", verifier_url, "--run", str(run))
        log = folder / f"{len(logs)}.log"
        logs.append(log)
        command = Command("train", *given, *more, log=log)
        ends.callback(command.kill)
        return command

    logs = []
    found = {}
    with ExitStack() as ends:
        unbroken = train(whole)
        killed = train(broken)
        # The last checkpoint is of step 2; the kill may hit anything in step 4.
        killed.until(lambda: steps_done(broken) >= 3, "the third step")
        killed.kill()
        found["killed at"] = steps_done(broken)
        stopped = train(broken, "--resume")
        stopped.until(lambda: '"step ' in stopped.output, "a further step")
        stopped.process.send_signal(signal.SIGTERM)
        found["exit status"] = stopped.end()
        found["stopped at"] = steps_done(broken)
        found["saved"] = Checkpoints(
            RunDirectory(broken), RunDirectory(broken).config().checkpoints
        ).newest()
        found["last"] = train(broken, "--resume").end()
        found["whole"] = unbroken.end()
        found["output"] = stopped.output
    return whole, broken, found


def test_killed_with_sigkill_and_resumed_a_run_is_the_same_to_the_last_bit(interrupted):
    whole, broken, found = interrupted
    assert found["killed at"] < STEPS
    assert (found["whole"], found["last"]) == (0, 0)
    assert_same_run(whole, broken, STEPS)


def test_asked_to_stop_a_run_ends_after_its_step_with_everything_saved(interrupted):
    _, _, found = interrupted
    assert found["exit status"] == 0
    assert found["stopped at"] < STEPS
    assert found["saved"].step == found["stopped at"]
    assert f"{found['stopped at']} of {STEPS} steps done" in found["output"]
    assert "asked to stop" in found["output"]


def test_without_a_terminal_every_line_of_the_log_is_json(interrupted):
    *lines, last = interrupted[2]["output"].splitlines()
    assert all(json.loads(line)["level"] in ("info", "warning") for line in lines)
    assert last.endswith("report.html")


def test_what_was_compared_is_self_play_with_verdicts_and_not_one_step_like_the_other(interrupted):
    whole, _, _ = interrupted
    lines = metrics(whole)
    assert [line["step"] for line in lines] == list(range(1, STEPS + 1))
    seen = Counter(line["reward/solve"] for line in lines)
    assert len(seen) > 1
    assert any(line.get("solve_rate/propose", 0) > 0 for line in lines)
    assert lines[-1]["buffer/deduction"] > lines[0]["buffer/deduction"]
    assert (whole / "report.html").exists()


def test_old_checkpoints_are_dropped(interrupted):
    whole, broken, _ = interrupted
    for run in (whole, broken):
        held = sorted(path.name for path in (run / "checkpoints").iterdir())
        assert held == ["step-00000006", "step-00000007"]
