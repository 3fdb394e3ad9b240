"""The demo from end to end, cut short: base, evaluation, self-play, evaluation, tables."""

import io
import json

import pytest
from rich.console import Console

from trainer_client.config.demo import WarmUpConfig
from trainer_client.config.loading import load
from trainer_client.errors import ConfigError
from trainer_client.records.kinds import Task
from trainer_client.report.evaluation import read_evaluation
from trainer_client.tiny.curriculum import TASKS
from trainer_client.tiny.demo import DemoSettings, demo_held_out, run_demo
from trainer_client.tiny.study import Study, run_arm, study_table
from trainer_client.tiny.trial import read_trial

SETTINGS = DemoSettings(problems=4, warm_up=WarmUpConfig(steps=8, batch_size=8))
SHORT = (
    "steps=2",
    "batch_size=4",
    "solve.batch_size=8",
    "propose.montecarlo_rollouts=2",
    "lengths.max_response_tokens=12",
    # A model of so few steps proposes little that is valid: the zero entries have to do.
    "buffers.seed_target=1",
    "logging.tensorboard=false",
)


@pytest.fixture(scope="module")
def ran(url, tmp_path_factory):
    folder = tmp_path_factory.mktemp("demo") / "seed-0"
    config = load("tiny-demo", [*SHORT, f"verifier.url={url}"], environ={})
    shown = io.StringIO()
    path = folder / "selfplay"
    trial = run_demo(config, path, SETTINGS, console=Console(file=shown, width=120))
    return config, path, trial, shown.getvalue()


def test_the_demo_measures_every_task_before_and_after(ran):
    _, _, trial, shown = ran
    assert list(trial.before) == list(trial.after) == list(TASKS)
    for scores in (*trial.before.values(), *trial.after.values()):
        assert len(scores.shares) == len(scores.likeliest) == SETTINGS.problems
        assert 0 <= scores.mean.low <= scores.mean.mean <= scores.mean.high <= 100
        assert scores.passed.mean >= scores.mean.mean
        assert scores.unjudged == 0
    assert "deduction mean@8" in shown
    assert "Waiting for the verifier" in shown


def test_its_tables_are_the_report_s_and_its_scores_can_be_read_back(ran):
    _, path, trial, _ = ran
    accuracy, times = read_evaluation(path / "evaluation.json")
    assert len(accuracy.rows) == 4 * len(TASKS)
    assert [row[0] for row in times.rows][:2] == ["warm-up", "held-out problems, before and after"]
    assert read_trial(path) == trial


def test_the_steps_were_those_of_the_ordinary_loop(ran):
    _, path, _, _ = ran
    lines = [json.loads(line) for line in (path / "metrics.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [1, 2]
    assert "reward/solve/deduction" in lines[0]
    assert (path / "checkpoints").is_dir()


def test_no_held_out_problem_is_in_a_buffer(ran):
    config, path, _, _ = ran
    held_out = demo_held_out(config, SETTINGS)
    pairs = {(p.program, p.input) for p in held_out.problems[Task.DEDUCTION]}
    rows = [
        json.loads(line)["problem"]
        for file in (path / "buffers").iterdir()
        for line in file.read_text().splitlines()
        if file.suffix == ".jsonl"
    ]
    assert rows
    assert not pairs & {(row["program"], row.get("input")) for row in rows}


def test_a_directory_with_a_run_is_not_overwritten(ran):
    config, path, _, _ = ran
    with pytest.raises(ConfigError, match="holds a run"):
        run_demo(config, path, SETTINGS, console=Console(file=io.StringIO()))


@pytest.mark.parametrize("arm", ["frozen", "shuffled", "sft"])
def test_every_control_runs_from_the_same_base(ran, arm):
    config, path, trial, _ = ran
    config = config.model_copy(update={"steps": 1})
    controlled = run_arm(config, arm, path / "base", path.with_name(arm), SETTINGS)
    assert controlled.before == trial.before
    study = Study(path.parent.parent, [0], ["selfplay", arm], 1, [], config.verifier.url)
    table = study_table(study)
    assert len(table.rows) == 2 * 3 * len(TASKS)
    assert table.rows[0][0] == "selfplay · deduction mean@8"
