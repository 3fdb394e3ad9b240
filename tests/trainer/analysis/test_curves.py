"""Entropy, length and comparison figures of finished runs, and how the report takes them in."""

import csv
import json
from pathlib import Path

import pytest

from tests.trainer.cli.command import run as command
from tests.trainer.learning.batches import a_learner, samples
from tests.trainer.report.synthetic_run import write_run
from trainer_client.analysis.comparison import comparison_artifact
from trainer_client.analysis.entropy import entropy_artifact, entropy_curves
from trainer_client.analysis.lengths import lengths_artifact
from trainer_client.analysis.run_curves import run_series
from trainer_client.errors import DataError
from trainer_client.report.page import write_report

pytestmark = pytest.mark.usefixtures("usual_logging")


@pytest.fixture(scope="module")
def finished(tmp_path_factory) -> Path:
    return write_run(tmp_path_factory.mktemp("runs") / "azr", steps=40).path


def write_metrics(run: Path, rows: list[dict[str, float]]) -> None:
    (run / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


@pytest.fixture
def handmade(tmp_path) -> Path:
    """Two steps with a proposer that is frozen: the learner saw none of its tokens."""
    run = write_run(tmp_path / "frozen", steps=1).path
    rows = [
        {"entropy/all": 0.5, "entropy/propose": 0.75, "entropy/solve": 0.25,
         "entropy/full": 0.125, "entropy/full/solve": 0.125},
        {"entropy/all": 0.4, "entropy/propose": 0.7, "entropy/solve": 0.2,
         "entropy/full": 0.1, "entropy/full/solve": 0.1},
    ]  # fmt: skip
    write_metrics(run, [{"step": step, **row} for step, row in enumerate(rows, start=1)])
    return run


def test_entropy_is_that_of_the_metrics_by_kind_and_role(handmade):
    found = entropy_curves(handmade)
    assert {kind: list(curves) for kind, curves in found.items()} == {
        "sampled": ["overall", "proposer", "solver"],
        "full": ["overall", "solver"],
    }
    assert found["sampled"]["proposer"].values == (0.75, 0.7)
    artifact = entropy_artifact(handmade)
    assert list(artifact.columns) == [
        "step", "sampled_overall", "sampled_proposer", "sampled_solver", "full_overall",
        "full_solver",
    ]  # fmt: skip
    assert artifact.rows[1] == [2, 0.4, 0.7, 0.2, 0.1, 0.1]
    assert "proposer 0.750 to 0.700" in artifact.caption


def test_the_learner_measures_the_full_distribution_by_role():
    metrics = a_learner().update(samples(24), seed=1)
    for role in ("propose", "solve"):
        parts = [metrics[name] for name in metrics if name.startswith(f"entropy/full/{role}/")]
        assert min(parts) <= metrics[f"entropy/full/{role}"] <= max(parts)


def test_lengths_have_a_panel_for_each_task_role_and_their_averages_in_the_table(finished):
    artifact = lengths_artifact(finished, span=5)
    assert len(artifact.figure.axes) == 6
    columns = list(artifact.columns)
    raw = columns.index("length" if "length" in columns else "solve/deduction")
    smooth = columns.index("solve/deduction_smoothed")
    series = run_series(finished)["length/solve/deduction"]
    assert [row[raw] for row in artifact.rows] == list(series.values)
    assert [row[smooth] for row in artifact.rows] == list(series.smoothed(5).values)


def test_runs_are_compared_on_the_metrics_that_they_have(finished, handmade):
    artifact = comparison_artifact({"azr": finished, "frozen": handmade})
    columns = list(artifact.columns)
    assert "frozen entropy/propose" in columns
    assert "frozen length/solve" not in columns
    assert len(artifact.rows) == 40
    assert artifact.rows[5][columns.index("frozen entropy/propose")] is None
    chosen = comparison_artifact({"azr": finished}, ["reward/solve/deduction"])
    assert list(chosen.columns) == ["step", "azr reward/solve/deduction"]
    with pytest.raises(DataError, match="no run has the metric nonsense"):
        comparison_artifact({"azr": finished}, ["nonsense"])


@pytest.mark.parametrize("analysis", [entropy_artifact, lengths_artifact])
def test_what_sampled_nothing_or_is_no_run_is_refused(analysis, handmade, tmp_path):
    write_metrics(handmade, [{"step": 1, "loss/total": 2.0}])
    with pytest.raises(DataError, match="nothing was sampled"):
        analysis(handmade)
    with pytest.raises(DataError, match="holds no run"):
        analysis(tmp_path)


def test_the_command_writes_four_files_and_the_report_shows_the_figure(finished):
    said = command("analyze", "entropy", str(finished))
    assert said.exit_code == 0, said.output
    folder = finished / "analysis"
    assert {path.name for path in folder.iterdir()} == {
        "entropy.png", "entropy.svg", "entropy.csv", "entropy.json",
    }  # fmt: skip
    with (folder / "entropy.csv").open() as file:
        assert len(list(csv.reader(file))) == 41
    html = (finished / "report.html").read_text()
    assert "<h2>Analyses</h2>" in html
    assert "img-src data:" in html
    assert 'src="data:image/svg+xml;base64,' in html
    assert "Entropy during training" in html


def test_the_same_numbers_give_the_same_drawing(finished, tmp_path):
    drawn = [entropy_artifact(finished).write(tmp_path / name)[1] for name in ("one", "two")]
    assert drawn[0].read_bytes() == drawn[1].read_bytes()


def test_elsewhere_the_report_stays_as_it_is(handmade, tmp_path):
    before = write_report(handmade).read_bytes()
    said = command("analyze", "entropy", str(handmade), "--out", str(tmp_path / "out"))
    assert said.exit_code == 0, said.output
    assert (tmp_path / "out" / "entropy.csv").exists()
    assert write_report(handmade).read_bytes() == before


def test_a_damaged_caption_is_named(handmade):
    (handmade / "analysis").mkdir()
    (handmade / "analysis" / "x.json").write_text("[]")
    (handmade / "analysis" / "x.svg").write_text("<svg/>")
    with pytest.raises(DataError, match=r"x\.json is no caption"):
        write_report(handmade)


def test_mistakes_end_in_a_line_and_not_in_a_trace(tmp_path):
    said = command("analyze", "sparsity", str(tmp_path), str(tmp_path))
    assert said.exit_code == 1
    assert "neither a run nor a model" in said.output
