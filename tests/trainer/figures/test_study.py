"""The seven figures from nothing, cut as short as can be, and the same once more for free."""

import io
import json
from dataclasses import replace

import pytest
from rich.console import Console

from trainer_client.figures.plan import ARMS, FigurePlan
from trainer_client.figures.study import make_figures
from trainer_client.tiny.demo import DemoSettings

SHORT = (
    "demo.warm_up.steps=8",
    "demo.warm_up.batch_size=8",
    "steps=2",
    "batch_size=4",
    "solve.batch_size=8",
    "propose.montecarlo_rollouts=2",
    "lengths.max_response_tokens=12",
    # A model of so few steps proposes little that is valid: the zero entries have to do.
    "buffers.seed_target=1",
    "logging.tensorboard=false",
)


def made(plan: FigurePlan) -> str:
    shown = io.StringIO()
    make_figures(plan, Console(file=shown, width=200))
    return shown.getvalue()


@pytest.fixture(scope="module")
def plan(verifier_url, tmp_path_factory) -> FigurePlan:
    plan = FigurePlan.make(tmp_path_factory.mktemp("figures"), 0, SHORT, quick=True)
    return replace(
        plan,
        config=plan.config.with_verifier_url(verifier_url),
        demo=DemoSettings.of(plan.config, 3),
        samples=2,
    )


@pytest.fixture(scope="module")
def said(plan) -> str:
    return made(plan)


def test_every_figure_is_drawn_and_read_or_says_why_not(plan, said):
    for number in range(1, 8):
        assert f"figure {number}: " in said
    drawn = {path.name.split("_")[1] for path in plan.figures.glob("figure_*.png")}
    assert drawn >= {"1", "3", "4", "5", "6", "7"}
    index = (plan.folder / "index.html").read_text()
    for path in plan.figures.glob("*.png"):
        assert path.with_suffix(".svg").exists()
        assert path.with_suffix(".csv").read_text().count("\n") > 1
        assert f"{path.stem}.svg" in index
    assert "in all" in said
    assert "in all" in index


def test_every_arm_is_a_run_of_its_own_from_the_one_base(plan, said):
    for arm in ARMS:
        assert (plan.run(arm) / "report.html").exists()
        assert str(plan.base) in (plan.run(arm) / "config.yaml").read_text()
    assert "figure_3_entropy" in {p.stem for p in (plan.run("selfplay") / "analysis").iterdir()}


def test_what_is_done_is_not_done_again(plan, said):
    times = json.loads((plan.folder / "times.json").read_text())
    weights = (plan.base / "model.safetensors").stat().st_mtime_ns
    again = made(plan)
    assert (plan.base / "model.safetensors").stat().st_mtime_ns == weights
    after = json.loads((plan.folder / "times.json").read_text())
    assert {part for part in times if after[part] != times[part]} == {"figures"}
    strip = [line for line in again.splitlines() if line.startswith("figure ")]
    assert strip == [line for line in said.splitlines() if line.startswith("figure ")]
