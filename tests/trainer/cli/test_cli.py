"""``azr-trainer``: help at once, errors in one line, and a run from its start to its report."""

import subprocess
import sys

import pytest
import yaml

from tests.trainer.cli.command import run
from tests.trainer.report.synthetic_run import write_run
from tests.trainer.training.base import sections, write_config
from tests.trainer.training.runs import metrics
from trainer_client.config.loading import load, presets
from trainer_client.config.run import RunConfig

HELP = """
import sys
from trainer_client.cli.main import app
try:
    app([*sys.argv[1:], "--help"])
except SystemExit as ended:
    assert not ended.code, ended
loaded = {"torch", "transformers", "matplotlib"} & set(sys.modules)
assert not loaded, loaded
"""


def test_help_is_there_without_torch_and_shows_examples():
    done = subprocess.run(
        [sys.executable, "-c", HELP, "train"],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Examples" in done.stdout
    assert "azr-trainer train --config mine.yaml --run runs/a --resume" in done.stdout


@pytest.mark.parametrize("command", ["train", "report", "presets", "demo"])
def test_every_command_says_what_it_does_with_an_example(command):
    done = run(command, "--help")
    assert done.exit_code == 0
    assert f"azr-trainer {command}" in done.stdout.partition("Examples")[2]


def test_presets_are_listed_with_their_summaries():
    done = run("presets")
    assert done.exit_code == 0
    for preset in presets():
        assert preset.name in done.stdout
        assert preset.summary[:40] in done.stdout


@pytest.mark.parametrize("preset", [preset.name for preset in presets()])
def test_a_preset_is_printed_in_full_and_can_be_loaded_again(preset):
    done = run("presets", preset)
    assert RunConfig.model_validate(yaml.safe_load(done.stdout)) == load(preset, environ={})


def assert_refused(done, error: str, *parts: str) -> None:
    """The command ended with 1 and one line that names the error and says all the parts."""
    assert done.exit_code == 1
    assert done.stdout == ""
    lines = done.stderr.splitlines()
    assert len(lines) == 1, done.stderr
    assert lines[0].startswith(f"{error}: ")
    for part in parts:
        assert part in lines[0]


def test_a_misspelt_setting_is_refused_in_one_line_that_names_the_one_meant(tmp_path):
    done = run("train", "--set", "optimizer.lrr=1", "--run", str(tmp_path / "run"))
    assert_refused(done, "ConfigError", "optimizer.lrr", "did you mean optimizer.lr?")
    assert not (tmp_path / "run").exists()


def test_an_unknown_preset_is_refused_with_the_known_ones():
    assert_refused(run("presets", "huge"), "ConfigError", "no preset huge", "azr-selfplay")
    assert_refused(run("train", "--config", "huge"), "ConfigError", "azr-selfplay")


def test_what_is_no_run_cannot_be_resumed(tmp_path):
    done = run("train", "--resume", "--run", str(tmp_path / "run"))
    assert_refused(done, "DataError", "holds no run", str(tmp_path / "run"))


def test_a_run_is_not_begun_over_another(tmp_path):
    held = write_run(tmp_path / "run", steps=1).path
    assert_refused(run("train", "--run", str(held)), "ConfigError", "holds a run already")


def test_a_run_is_not_resumed_under_another_configuration(tmp_path):
    held = write_run(tmp_path / "run", steps=1).path
    done = run("train", "--resume", "--run", str(held), "--set", "seed=5")
    assert_refused(done, "ConfigError", "seed: begun with")


def test_a_report_is_written_into_the_run(tmp_path):
    held = write_run(tmp_path / "run", steps=3)
    done = run("report", str(held.path))
    assert done.exit_code == 0, done.stderr
    assert done.stdout.strip() == str(held.report_file)
    assert held.report_file.read_text().startswith("<!DOCTYPE html>")


def test_there_is_no_report_of_what_is_no_run(tmp_path):
    assert_refused(run("report", str(tmp_path)), "DataError", "holds no run")


def test_a_run_with_a_verifier_of_its_own_ends_with_its_report_and_without_the_verifier(
    base, seeds, tmp_path
):
    values = sections(base, seeds, tasks={"kinds": ["deduction"], "prompts": "tiny"}, steps=1)
    config = write_config(tmp_path / "config.yaml", values)
    held, pushed = tmp_path / "run", tmp_path / "pushed"
    done = run(
        "train", "--config", str(config), "--verifier", "embedded", "--run", str(held),
        "--push", str(pushed),
    )  # fmt: skip
    assert done.exit_code == 0, done.stderr
    assert f"1 of 1 steps done; {held / 'report.html'}" in done.stdout
    assert [line["step"] for line in metrics(held)] == [1]
    assert (pushed / "model.safetensors").exists()
    assert "Traceback" not in (tmp_path / "run.verifier.log").read_text()
