"""Metrics of finished or growing runs as curves over steps, drawn faintly and smoothed strongly."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes

from trainer_client.analysis.artifact import Cell
from trainer_client.analysis.style import COLOURS, DASHES, legend, steps_below
from trainer_client.errors import DataError
from trainer_client.report.series import Series, series_of, window_of
from trainer_client.state.json_lines import read_lines
from trainer_client.state.run_directory import RunDirectory


@dataclass(frozen=True)
class Curve:
    """A metric under the label that it has in a figure; looks go by two ranks."""

    series: Series
    label: str
    colour: int = 0
    dash: int = 0


def run_series(path: Path) -> dict[str, Series]:
    """Return a run's metrics by name.

    Raises:
        DataError: there is no run, or it has not done a step.
    """
    run = RunDirectory(path)
    if not run.exists:
        raise DataError(f"{path} holds no run: it has no config.yaml")
    rows = [row for row in read_lines(run.metrics_file) if isinstance(row.get("step"), int)]
    if not rows:
        raise DataError(f"{path}: this run has done no step yet")
    return series_of(rows)


def draw_curves(axes: Axes, curves: Sequence[Curve], span: int | None = None) -> None:
    """Draw values faintly and their exponential moving averages strongly.

    Args:
        axes: with training steps below.
        curves: of any length.
        span: of the moving average; None: as suits each curve's length.
    """
    for curve in curves:
        series = curve.series
        colour = COLOURS[curve.colour % len(COLOURS)]
        dash: Any = DASHES[curve.dash % len(DASHES)]
        wide = span or smoothing_span(len(series.values))
        if wide > 1:
            axes.plot(series.steps, series.values, color=colour, alpha=0.25, linewidth=0.7)
        mean = series.smoothed(wide)
        axes.plot(mean.steps, mean.values, color=colour, linestyle=dash, label=curve.label)
    steps_below(axes)
    legend(axes)


def smoothing_span(steps: int) -> int:
    """Return the span of the moving average for a curve of so many steps (25 from 300 on)."""
    return max(1, min(25, steps // 12))


def table_of(curves: Sequence[tuple[str, Series]]) -> tuple[list[str], list[list[Cell]]]:
    """Return columns and rows of a table with a line for each step; None where a value is not."""
    steps = sorted({step for _, series in curves for step in series.steps})
    columns = [dict(zip(series.steps, series.values, strict=True)) for _, series in curves]
    rows: list[list[Cell]] = [[int(step), *(c.get(step) for c in columns)] for step in steps]
    return ["step", *(name for name, _ in curves)], rows


def ends(series: Series) -> tuple[float, float]:
    """Return the means of a curve's first and last values."""
    window = window_of(len(series.values))
    return series.first(window), series.last(window)
