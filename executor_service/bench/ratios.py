"""What the measured rates mean: ratios, beside the goals that the project set itself."""

import statistics
from dataclasses import dataclass
from typing import Any, Final

from executor_service.bench.speed import Speed


@dataclass(frozen=True)
class Ratio:
    """One quotient of two measured rates; the median over the rounds."""

    name: str
    value: float
    goal: float | None = None

    @property
    def met(self) -> bool | None:
        """Tell whether the goal is met; None where there is none."""
        return None if self.goal is None else self.value >= self.goal


_RATIOS: Final[tuple[tuple[str, str, str, float | None], ...]] = (
    ("runs through one slot / bare forks", "runs, one slot", "bare fork", 0.5),
    ("... the same, everything on one core", "runs, one slot, one core",
     "bare fork, one core", None),
    ("trivial runs through one slot / bare forks", "trivial runs, one slot", "bare fork", None),
    ("runs through one slot / bare forks with nothing imported", "runs, one slot",
     "bare fork, nothing imported", None),
    ("runs through all slots / through one slot", "runs, all slots", "runs, one slot", None),
    ("... / through one slot on one core", "runs, all slots", "runs, one slot, one core", None),
    ("verifications over HTTP / bare forks", "HTTP verifications", "bare fork", 0.8),
    ("validations over HTTP / bare forks", "HTTP validations", "bare fork", 0.5),
    ("verifications over HTTP / fresh python -I", "HTTP verifications", "fresh python -I", None),
    ("validations over HTTP / fresh python -I", "HTTP validations", "fresh python -I", None),
    ("verifications over HTTP / docker run", "HTTP verifications", "docker run", None),
    ("validations over HTTP / docker run", "HTTP validations", "docker run", None),
)  # fmt: skip


def ratios(speed: Speed) -> list[Ratio]:
    """Return the ratios of what was measured.

    Where both were measured in every round, the quotient is taken in each round, so that a
    machine that is slow for a while is slow for both.
    """
    found = []
    for name, above, below, goal in _RATIOS:
        over, under = speed.rates.get(above, []), speed.rates.get(below, [])
        if not over or not under:
            continue
        if len(over) == len(under):
            value = statistics.median(a / b for a, b in zip(over, under, strict=True))
        else:
            value = statistics.median(over) / statistics.median(under)
        found.append(Ratio(name, value, goal))
    return found


def percentile(samples: list[float], share: float) -> float:
    """Return the smallest sample that at least ``share`` of all do not exceed.

    Raises:
        ValueError: There is no sample.
    """
    if not samples:
        raise ValueError("no samples")
    ordered = sorted(samples)
    rank = -int(-share * len(ordered) // 1)  # rounded up
    return ordered[min(max(rank, 1), len(ordered)) - 1]


def latency_rows(speed: Speed) -> list[tuple[str, float]]:
    """Return (what, milliseconds) of one program: p50 and p99 here, and what others take."""
    rows = []
    if speed.latency_ms:
        rows.append(("POST /v1/verify, p50", percentile(speed.latency_ms, 0.5)))
        rows.append(("POST /v1/verify, p99", percentile(speed.latency_ms, 0.99)))
    for name in ("fresh python -I", "docker run"):
        rate = speed.median(name)
        if rate:
            rows.append((f"{name}, mean", 1000 / rate))
    return rows


def speed_summary(speed: Speed) -> dict[str, Any]:
    """Return everything measured as JSON data."""
    return {
        "tasks": speed.tasks,
        "slots": speed.slots,
        "rates_per_second": speed.rates,
        "medians_per_second": {name: statistics.median(v) for name, v in speed.rates.items()},
        "ratios": [
            {"name": r.name, "value": r.value, "goal": r.goal, "met": r.met} for r in ratios(speed)
        ],
        "latency_ms": dict(latency_rows(speed)),
        "single_requests": len(speed.latency_ms),
        "client_cpu_ms_per_item": speed.client_cpu_ms,
        "server_cpu_ms_per_item": speed.server_cpu_ms,
        "unexpected_statuses": speed.not_good,
        "not_measured": speed.not_measured,
    }
