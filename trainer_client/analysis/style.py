"""How figures look: print on white, colours that the colour-blind tell apart, no decoration."""

from typing import Any, Final

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

COLOURS: Final = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
"""Okabe and Ito's, the most legible first."""
DASHES: Final = ("solid", (0, (5, 2)), (0, (1, 1.5)), (0, (5, 2, 1, 2)))
"""Line styles, so that no curve is told by its colour alone."""
MARKERS: Final = ("o", "s", "^", "D", "v", "P", "X")
"""Marks of points, for the same reason."""
INCHES: Final = (3.3, 2.7)
"""Width and height of one panel."""
SETTINGS: Final[Any] = {  # matplotlib types its settings by name
    "svg.hashsalt": "analysis",  # identifiers do not change from one drawing to the next
    "svg.fonttype": "path",
    "font.size": 9.0,
    "axes.titlesize": 9.5,
    "axes.labelsize": 9.0,
    "legend.fontsize": 8.0,
    "lines.linewidth": 1.6,
    "lines.markersize": 4.0,
    "axes.formatter.useoffset": False,
    "hatch.linewidth": 0.6,
}
"""For `matplotlib.rc_context` while a figure is made and saved."""


def panels(count: int, columns: int | None = None) -> tuple[Figure, list[Axes]]:
    """Return a figure with as many dressed axes, row by row.

    Args:
        count: how many.
        columns: in a row; None: all in one row.
    """
    across = min(count, columns or count)
    down = -(-count // across)
    with mpl.rc_context(SETTINGS):
        figure = Figure(figsize=(INCHES[0] * across, INCHES[1] * down), layout="constrained")
        FigureCanvasAgg(figure)
        made = [figure.add_subplot(down, across, place + 1) for place in range(count)]
        for axes in made:
            _dress(axes)
    return figure, made


def steps_below(axes: Axes) -> None:
    """Let the horizontal axis count training steps."""
    axes.set_xlabel("training step")
    axes.xaxis.set_major_locator(MaxNLocator(nbins=6, integer=True))


def shares_beside(axes: Axes) -> None:
    """Let the vertical axis show shares as percentages."""
    axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=None))


def legend(axes: Axes) -> None:
    """Explain the curves, where there are several."""
    if len(axes.get_legend_handles_labels()[1]) > 1:
        axes.legend(frameon=False, handlelength=2.6)


def _dress(axes: Axes) -> None:
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(visible=True, axis="y", color="#dddddd", linewidth=0.6)
    axes.set_axisbelow(True)
