"""`extends`: what is merged, what is replaced, and chains that lead nowhere."""

from pathlib import Path

import pytest

from trainer_client.config.inheritance import merged
from trainer_client.config.loading import load
from trainer_client.errors import ConfigError

NOWHERE: dict[str, str] = {}


def write(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        (folder / f"{name}.yaml").write_text(text)
    return folder / "first.yaml"


def refusal(source: Path) -> str:
    with pytest.raises(ConfigError) as caught:
        load(source, (), NOWHERE)
    return str(caught.value)


def test_a_file_says_only_how_it_differs_from_a_preset(tmp_path):
    path = write(tmp_path, first="extends: azr-paper\nloss: {clip_high: 0.3}\nsteps: 7")
    config, base = load(path, (), NOWHERE), load("azr-paper", (), NOWHERE)
    assert (config.loss.clip_high, config.steps) == (0.3, 7)
    assert config.loss.entropy_coef == base.loss.entropy_coef
    assert config.model == base.model


def test_a_file_beside_it_is_extended_wherever_the_command_runs(tmp_path, monkeypatch):
    (tmp_path / "below").mkdir()
    write(tmp_path, common="steps: 3\nseed: 4")
    (tmp_path / "below" / "first.yaml").write_text("extends: ../common.yaml\nseed: 5")
    monkeypatch.chdir("/")
    config = load(tmp_path / "below" / "first.yaml", (), NOWHERE)
    assert (config.steps, config.seed) == (3, 5)


def test_the_nearest_of_a_chain_wins_and_overrides_win_over_all(tmp_path):
    path = write(
        tmp_path,
        first="extends: ./second.yaml\nsteps: 1",
        second="extends: ./third.yaml\nsteps: 2\nseed: 2",
        third="steps: 3\nseed: 3\nbatch_size: 3",
    )
    config = load(path, ["batch_size=9"], NOWHERE)
    assert (config.steps, config.seed, config.batch_size) == (1, 2, 9)


def test_sections_are_merged_and_all_else_is_replaced():
    base = {"a": {"x": 1, "y": [1, 2]}, "b": {"z": 1}, "c": 1}
    changes = {"a": {"y": [3]}, "b": None, "c": {"n": 1}}
    assert merged(base, changes) == {"a": {"x": 1, "y": [3]}, "b": None, "c": {"n": 1}}
    assert base["a"] == {"x": 1, "y": [1, 2]}


def test_a_circle_is_told_with_its_way(tmp_path):
    path = write(tmp_path, first="extends: ./second.yaml", second="extends: ./first.yaml")
    assert "circle" in refusal(path)
    assert refusal(path).count("first.yaml") == 2
    assert "circle" in refusal(write(tmp_path, first="extends: first.yaml"))


def test_an_unknown_base_is_told_with_who_asked_and_what_there_is(tmp_path):
    text = refusal(write(tmp_path, first="extends: azr-papr"))
    assert "first.yaml, extends: there is no preset azr-papr" in text
    assert "did you mean azr-paper?" in text
    missing = refusal(write(tmp_path, first="extends: ./absent.yaml"))
    assert "first.yaml, extends:" in missing
    assert "absent.yaml cannot be read" in missing


@pytest.mark.parametrize("value", ["[azr-paper]", "3", "''", "{name: azr-paper}"])
def test_a_base_that_is_no_name_is_refused(tmp_path, value):
    assert "extends: it should name" in refusal(write(tmp_path, first=f"extends: {value}"))


def test_greedy_sampling_is_for_difficulty_alone():
    assert load(None, ["propose.montecarlo_decoding.greedy=true"], NOWHERE)
    for section in ("propose", "solve"):
        with pytest.raises(ConfigError, match="must be sampled"):
            load(None, [f"{section}.decoding.greedy=true"], NOWHERE)
