"""`draw`: a panel's curves as an SVG element that takes its colours from the page's style sheet."""

import io
from collections.abc import Sequence
from typing import Any, Final

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from trainer_client.report.inline_svg import COLOURS, inline
from trainer_client.report.panels import Curve, Panel
from trainer_client.report.series import span_of

SIZE: Final = (5.0, 2.6)
"""Inches of 72 units each in the drawing; the page scales it to its column."""
_SETTINGS: Final[Any] = {  # matplotlib types its settings by name
    "svg.fonttype": "none",  # text stays text
    "svg.hashsalt": "report",  # identifiers do not change from one report to the next
    "font.size": 9.0,
    "lines.linewidth": 1.6,
    "axes.formatter.useoffset": False,
    "axes.formatter.limits": (-2, 5),  # beyond these powers of ten labels would not fit
}
_NO_METADATA: Final = dict.fromkeys(("Date", "Creator", "Format", "Type"))


def draw(panel: Panel, curves: Sequence[Curve]) -> str:
    """Return the drawing; it depends on the curves alone, and holds no script, link or style."""
    with mpl.rc_context(_SETTINGS):
        figure = Figure(figsize=SIZE)
        FigureCanvasSVG(figure)
        axes = figure.add_axes((0.14, 0.13, 0.84, 0.79))
        for curve in curves:
            _plot(axes, curve)
        _dress(axes, percent=panel.percent)
        drawn = io.StringIO()
        figure.savefig(drawn, format="svg", metadata=_NO_METADATA, transparent=True)
    return inline(drawn.getvalue(), label=_spoken(panel, curves))


def _plot(axes: Axes, curve: Curve) -> None:
    """Draw the values faintly and their moving average strongly."""
    span = span_of(len(curve.series.values))
    colour = COLOURS[curve.hue]
    raw, mean = curve.series.thinned(), curve.series.smoothed(span).thinned()
    if span > 1:
        axes.plot(raw.steps, raw.values, color=colour, alpha=0.22, linewidth=0.8, clip_on=False)
    line = (0, (4, 2)) if curve.dashed else "solid"
    axes.plot(mean.steps, mean.values, color=colour, linestyle=line, clip_on=False)


def _dress(axes: Axes, *, percent: bool) -> None:
    """Leave of the axes what helps reading."""
    axes.margins(x=0)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.spines["bottom"].set_color(COLOURS["rule"])
    axes.tick_params(length=0)
    axes.grid(visible=True, axis="y", color=COLOURS["rule"], linewidth=0.6, clip_on=False)
    axes.xaxis.set_major_locator(MaxNLocator(nbins=6, integer=True))
    axes.yaxis.set_major_locator(MaxNLocator(nbins=5))
    if percent:
        axes.yaxis.set_major_formatter(PercentFormatter(1.0))


def _spoken(panel: Panel, curves: Sequence[Curve]) -> str:
    """Return what the drawing shows, for those who do not see it."""
    ends = (f"{c.label} from {c.series.values[0]:.3g} to {c.series.values[-1]:.3g}" for c in curves)
    return f"{panel.title}: {'; '.join(ends)}"
