"""Entropy over training, of all responses and by role: the self-play paper's figure 3.

    sampled (eq. 1)   -mean over responses of the mean over their tokens of log pi(y_t)
    full              mean over tokens of the entropy of the whole next-token distribution

Both are recorded while a run goes. The learner measures ``full`` on what it learns from: a frozen
proposer has none.
"""

from pathlib import Path
from typing import Final

from trainer_client.analysis.artifact import Artifact
from trainer_client.analysis.run_curves import Curve, draw_curves, ends, run_series, table_of
from trainer_client.analysis.style import panels
from trainer_client.errors import DataError
from trainer_client.report.series import Series

ROLES: Final = ("overall", "proposer", "solver")
SAMPLED: Final = {
    "overall": "entropy/all",
    "proposer": "entropy/propose",
    "solver": "entropy/solve",
}
"""Metrics of equation 1."""
FULL: Final = {
    "overall": "entropy/full",
    "proposer": "entropy/full/propose",
    "solver": "entropy/full/solve",
}
"""Metrics of the full distribution."""


def entropy_curves(path: Path) -> dict[str, dict[str, Series]]:
    """Return a run's curves by kind (``sampled``, ``full``) and role, as far as it has them.

    Raises:
        DataError: there is no run, or it measured no entropy (SFT samples nothing).
    """
    series = run_series(path)
    found = {
        kind: {role: series[name] for role, name in names.items() if name in series}
        for kind, names in (("sampled", SAMPLED), ("full", FULL))
    }
    if not found["sampled"]:
        raise DataError(f"{path}: this run has no entropy: nothing was sampled")
    return found


def entropy_artifact(path: Path) -> Artifact:
    """Return a run's entropy over steps, a panel for each role.

    Raises:
        DataError: see `entropy_curves`.
    """
    found = entropy_curves(path)
    roles = [role for role in ROLES if any(role in curves for curves in found.values())]
    figure, axes = panels(len(roles))
    for each, role in zip(axes, roles, strict=True):
        curves = [
            Curve(found[kind][role], label, colour=rank, dash=rank)
            for rank, (kind, label) in enumerate((("sampled", "sampled, eq. 1"), ("full", "full")))
            if role in found[kind]
        ]
        draw_curves(each, curves)
        each.set_title(role)
    axes[0].set_ylabel("nats per token")
    columns, rows = table_of(
        [(f"{kind}_{role}", one) for kind, curves in found.items() for role, one in curves.items()]
    )
    changes = ", ".join(_change(role, one) for role, one in found["sampled"].items())
    return Artifact(
        name="entropy",
        title="Entropy during training",
        caption=(
            "Sampled: minus the mean over responses of the mean log-probability of their tokens "
            "(equation 1); full: of the whole distribution, on the tokens learnt from. First to "
            f"last steps, sampled: {changes}."
        ),
        columns=columns,
        rows=rows,
        figure=figure,
    )


def _change(role: str, series: Series) -> str:
    first, last = ends(series)
    return f"{role} {first:.3f} to {last:.3f}"
