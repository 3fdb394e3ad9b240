"""Run directories: beginning, resuming under the same configuration, cutting logs back."""

import json

import pytest

from trainer_client.config.loading import load
from trainer_client.config.run import RunConfig
from trainer_client.errors import ConfigError, DataError
from trainer_client.state.json_lines import read_lines
from trainer_client.state.run_directory import RunDirectory


def changed(*overrides: str) -> RunConfig:
    return load(None, overrides, {})


def test_a_run_begins_with_its_configuration_on_disk(tmp_path):
    run = RunDirectory.create(tmp_path / "one", changed("seed=7"))
    assert RunDirectory(run.path).config() == changed("seed=7")
    assert run.name == "one"


def test_a_run_is_not_begun_over_another(tmp_path):
    RunDirectory.create(tmp_path, RunConfig())
    with pytest.raises(ConfigError, match="holds a run already"):
        RunDirectory.create(tmp_path, RunConfig())


def test_a_run_is_not_begun_among_other_files(tmp_path):
    (tmp_path / "thesis.tex").touch()
    with pytest.raises(ConfigError, match="is no run"):
        RunDirectory.create(tmp_path, RunConfig())


def test_a_run_killed_while_its_folders_were_made_can_be_begun(tmp_path):
    (tmp_path / "one" / "buffers").mkdir(parents=True)
    assert RunDirectory.create(tmp_path / "one", RunConfig()).exists


def test_steps_checkpoints_logging_and_verifier_may_change(tmp_path):
    RunDirectory.create(tmp_path, RunConfig())
    config = changed(
        "steps=9", "checkpoints.every=1", "logging.tensorboard=false", "verifier.url=http://x"
    )
    assert RunDirectory.resume(tmp_path, config).config() == config


def test_other_changes_are_refused_by_name_with_both_values(tmp_path):
    RunDirectory.create(tmp_path, RunConfig())
    with pytest.raises(ConfigError) as caught:
        RunDirectory.resume(tmp_path, changed("steps=9", "loss.clip_low=0.1", "seed=3"))
    text = str(caught.value)
    assert "loss.clip_low: begun with 0.2, now 0.1" in text
    assert "seed: begun with 0, now 3" in text
    assert "steps:" not in text
    assert RunDirectory(tmp_path).config() == RunConfig()


def test_what_is_no_run_cannot_be_resumed(tmp_path):
    with pytest.raises(DataError, match="holds no run"):
        RunDirectory.resume(tmp_path, RunConfig())


def test_the_environment_does_not_change_what_a_run_was_begun_with(tmp_path, monkeypatch):
    RunDirectory.create(tmp_path, RunConfig())
    monkeypatch.setenv("VERIFIER_URL", "http://elsewhere")
    assert RunDirectory(tmp_path).config() == RunConfig()


def test_truncating_forgets_later_steps_and_half_a_line(tmp_path):
    run = RunDirectory.create(tmp_path, RunConfig())
    lines = [json.dumps({"step": step, "x": step / 3}) + "\n" for step in (1, 2, 3)]
    run.metrics_file.write_text("".join(lines) + '{"step": 2, "x"')
    run.truncate(2)
    assert run.metrics_file.read_text() == "".join(lines[:2])
    assert not run.rollouts_file.exists()


def test_reading_passes_over_what_is_no_record(tmp_path, caplog):
    path = tmp_path / "metrics.jsonl"
    path.write_bytes(b'{"step":1}\nnot json\n[1]\n\xff\xfe\n{"step":2}\n{"step":3')
    assert list(read_lines(path)) == [{"step": 1}, {"step": 2}]
    assert "4 unreadable lines" in caplog.text


def test_a_second_process_may_not_train_in_the_same_directory(tmp_path):
    run = RunDirectory.create(tmp_path / "run", RunConfig())
    with run.locked(), pytest.raises(ConfigError, match="another process"), run.locked():
        pass
    with run.locked():
        pass


def test_a_directory_that_cannot_be_written_is_a_clear_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="cannot hold a run"):
        RunDirectory.create(tmp_path / "file" / "run", RunConfig())
