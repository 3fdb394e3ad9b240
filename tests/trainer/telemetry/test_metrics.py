"""Metrics: one flat line per step, event files, and what is said where a package is missing."""

import json
import sys
from types import ModuleType

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from trainer_client.config.run import LoggingConfig, RunConfig
from trainer_client.errors import ConfigError
from trainer_client.state.json_lines import read_lines
from trainer_client.state.run_directory import RunDirectory
from trainer_client.telemetry.metrics import MetricsWriter

PLAIN = LoggingConfig(tensorboard=False)


@pytest.fixture
def run(tmp_path) -> RunDirectory:
    return RunDirectory.create(tmp_path / "run", RunConfig())


def test_a_step_is_one_flat_line(run):
    with MetricsWriter(run, PLAIN) as writer:
        writer.observe(1, {"reward/solve/deduction": 0.1, "n": 3})
        writer.observe(2, {"reward/solve/deduction": 1 / 3})
        lines = list(read_lines(run.metrics_file))
    assert [line["step"] for line in lines] == [1, 2]
    assert lines[1]["reward/solve/deduction"] == 1 / 3
    assert lines[0]["time"] <= lines[1]["time"]


def test_a_number_that_is_not_finite_is_null(run):
    with MetricsWriter(run, LoggingConfig()) as writer:
        writer.observe(1, {"a": float("nan"), "b": float("-inf"), "c": 1.0})
    text = run.metrics_file.read_text()
    assert json.loads(text, parse_constant=pytest.fail)["a"] is None
    assert json.loads(text)["b"] is None
    assert json.loads(text)["c"] == 1.0


def test_a_resumed_run_appends(run):
    for after in (0, 1):
        with MetricsWriter(run, PLAIN, after=after) as writer:
            writer.observe(after + 1, {"a": 1.0})
    assert [line["step"] for line in read_lines(run.metrics_file)] == [1, 2]


def test_tensorboard_has_the_numbers_and_forgets_what_is_done_again(run):
    for after, value in ((0, 1.0), (1, 2.0)):
        with MetricsWriter(run, LoggingConfig(), after=after) as writer:
            for step in range(after + 1, 4):
                writer.observe(step, {"reward/solve": value * step})
    events = EventAccumulator(str(run.tensorboard))
    events.Reload()
    found = [(event.step, event.value) for event in events.Scalars("reward/solve")]
    assert found == [(1, 1.0), (2, 4.0), (3, 6.0)]


@pytest.mark.parametrize(
    ("settings", "module", "said"),
    [
        (LoggingConfig(), "torch.utils.tensorboard", "set logging.tensorboard=false"),
        (LoggingConfig(tensorboard=False, wandb_project="p"), "wandb", "logging.wandb_project"),
    ],
)
def test_a_package_that_is_missing_is_named_with_the_way_out(
    run, monkeypatch, settings, module, said
):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ConfigError, match=said):
        MetricsWriter(run, settings)


def test_weights_and_biases_goes_on_in_the_same_run_and_is_not_told_the_verifier(run, monkeypatch):
    begun, logged = [], []

    class Remote:
        def log(self, metrics, step):
            logged.append((step, metrics))

        def finish(self):
            logged.append("finished")

    module = ModuleType("wandb")
    module.init = lambda **said: begun.append(said) or Remote()
    monkeypatch.setitem(sys.modules, "wandb", module)
    for after in (0, 1):
        with MetricsWriter(
            run, LoggingConfig(tensorboard=False, wandb_project="azr"), after=after
        ) as w:
            w.observe(after + 1, {"a": 1.0, "b": float("nan")})
    assert logged == [(1, {"a": 1.0}), "finished", (2, {"a": 1.0}), "finished"]
    assert begun[0] == begun[1]
    assert begun[0]["project"] == "azr"
    assert "verifier" not in begun[0]["config"]
