"""Response length over training by task and role: six curves, the self-play paper's figure 7."""

from pathlib import Path

from trainer_client.analysis.artifact import Artifact
from trainer_client.analysis.run_curves import (
    Curve,
    draw_curves,
    ends,
    run_series,
    smoothing_span,
    table_of,
)
from trainer_client.analysis.style import panels
from trainer_client.errors import DataError
from trainer_client.records.kinds import Role
from trainer_client.report.series import Series
from trainer_client.telemetry.role_metrics import TASK_ROLES


def length_curves(path: Path) -> dict[str, Series]:
    """Return the mean tokens of a response by task-role (``solve/deduction``).

    Raises:
        DataError: there is no run, or it sampled nothing.
    """
    series = run_series(path)
    names = {role.key: f"length/{role.key}" for role in TASK_ROLES}
    found = {key: series[name] for key, name in names.items() if name in series}
    if not found:
        raise DataError(f"{path}: this run has no response lengths: nothing was sampled")
    return found


def lengths_artifact(path: Path, span: int | None = None) -> Artifact:
    """Return the curves, a panel for each task-role, proposers above solvers.

    Args:
        path: a run.
        span: of the exponential moving average; None: as suits the run's length.

    Raises:
        DataError: see `length_curves`.
    """
    found = length_curves(path)
    across = max(sum(key.startswith(f"{role}/") for key in found) for role in Role)
    figure, axes = panels(len(found), across)
    wide = span or max(smoothing_span(len(one.values)) for one in found.values())
    for rank, (each, (key, series)) in enumerate(zip(axes, found.items(), strict=True)):
        role, _, task = key.partition("/")
        draw_curves(each, [Curve(series, key, colour=rank % across)], wide)
        each.set_title(f"{task}, {'proposer' if role == Role.PROPOSE else 'solver'}")
        if rank % across == 0:
            each.set_ylabel("tokens per response")
    smoothed = [(f"{key}_smoothed", one.smoothed(wide)) for key, one in found.items()]
    columns, rows = table_of([*found.items(), *smoothed])
    changes = ", ".join(
        f"{key} {ends(one)[0]:.1f} to {ends(one)[1]:.1f}" for key, one in found.items()
    )
    return Artifact(
        name="lengths",
        title="Response length during training",
        caption=(
            "Mean tokens of a response in each step (faint) and their exponential moving average "
            f"of span {wide}. First to last steps: {changes}."
        ),
        columns=columns,
        rows=rows,
        figure=figure,
    )
