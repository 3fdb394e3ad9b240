"""The bigger demo's command from end to end, at a size for a CPU."""

import json

import pytest
from typer.testing import CliRunner

from trainer_client.cli.main import app
from trainer_client.report.evaluation import read_evaluation
from trainer_client.tiny.curriculum import TASKS

SMALL = (
    "model.device=cpu",
    "model.compute_dtype=float32",
    "demo.shape.hidden_size=32",
    "demo.shape.intermediate_size=64",
    "demo.shape.layers=2",
    "demo.shape.heads=2",
    "demo.warm_up.steps=6",
    "demo.warm_up.batch_size=8",
    "demo.warm_up.rising_steps=2",
    "steps=1",
    "batch_size=4",
    "solve.batch_size=8",
    "propose.montecarlo_rollouts=2",
    "lengths.max_response_tokens=24",
    "buffers.seed_target=1",
    "logging.tensorboard=false",
)


@pytest.fixture(scope="module")
def ran(url, tmp_path_factory):
    path = tmp_path_factory.mktemp("demo-gpu") / "run"
    options = [part for each in SMALL for part in ("--set", each)]
    command = ["demo", "--preset", "demo-gpu", "--verifier", url, "--run", str(path)]
    result = CliRunner().invoke(app, [*command, "--problems", "3", *options])
    assert result.exit_code == 0, result.output
    return path, result.output


def test_it_measures_every_task_and_writes_its_report(ran):
    path, output = ran
    accuracy, _ = read_evaluation(path / "evaluation.json")
    assert len(accuracy.rows) == 4 * len(TASKS)
    assert "deduction mean@8" in output
    assert "deduction mean@8" in (path / "report.html").read_text()


def test_its_model_has_the_size_that_was_asked_for(ran):
    path, _ = ran
    made = json.loads((path / "base" / "config.json").read_text())
    assert (made["hidden_size"], made["num_hidden_layers"]) == (32, 2)
    assert made["max_position_embeddings"] == 1024
