"""The run in numbers: what it is, first against last values, where the time went."""

import time
from dataclasses import dataclass

from trainer_client.report.run_data import RunData
from trainer_client.report.series import window_of
from trainer_client.telemetry.duration import readable
from trainer_client.telemetry.role_metrics import MEASURES, phases_of, roles_in


@dataclass(frozen=True)
class Change:
    """A metric at the run's beginning and at its end."""

    name: str
    first: float
    last: float


@dataclass(frozen=True)
class Phase:
    """Seconds of all steps spent in a phase, and their share of the whole."""

    name: str
    seconds: float
    share: float


def facts_of(data: RunData) -> list[tuple[str, str]]:
    """Return what the run is, as pairs of a name and a value."""
    config = data.config
    found = [
        ("algorithm", config.algorithm),
        ("model", config.model.path or "made for the run"),
        ("tasks", ", ".join(config.tasks.kinds)),
        ("steps", f"{data.rows[-1]['step'] if data.rows else 0} of {config.steps}"),
        ("seed", str(config.seed)),
    ]
    stamps = [row["time"] for row in data.rows if isinstance(row.get("time"), int | float)]
    if stamps:
        began = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(stamps[0]))
        found.append(("first step done", began))
    steps = data.series.get("time/step")
    if steps:
        found.append(("time in steps", readable(sum(steps.values))))
    waiting = data.series.get("time/waiting")
    if steps and waiting:
        share = sum(waiting.values) / sum(steps.values)
        found.append(("waiting for the verifier", f"{share:.1%} of the time"))
    return found


def role_changes(data: RunData) -> list[tuple[str, list[Change | None]]]:
    """Return for each task-role its measures in the order of `MEASURES`, None where absent."""
    return [
        (role.key, [_change(data, f"{what}/{role.key}") for what in MEASURES])
        for role in roles_in(data.series)
    ]


def all_changes(data: RunData) -> list[Change]:
    """Return every metric, sorted by name."""
    found = (_change(data, name) for name in sorted(data.series))
    return [change for change in found if change is not None]


def phases(data: RunData) -> list[Phase]:
    """Return where the time of all steps went, the longest phase first."""
    totals = phases_of({name: sum(one.values) for name, one in data.series.items()})
    steps = data.series.get("time/step")
    whole = max(sum(totals.values()), sum(steps.values) if steps else 0.0)
    if whole <= 0:
        return []
    rest = whole - sum(totals.values())
    if rest > 0.001 * whole:
        totals["between phases"] = rest
    ranked = sorted(totals.items(), key=lambda item: -item[1])
    return [Phase(name, seconds, seconds / whole) for name, seconds in ranked]


def _change(data: RunData, name: str) -> Change | None:
    """Return a metric's first and last values, means over the run's window."""
    series = data.series.get(name)
    if series is None:
        return None
    window = window_of(len(series.values))
    return Change(name, series.first(window), series.last(window))
