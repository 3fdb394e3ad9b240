"""Counting and timing single runs: what ended them, and what they used."""

from typing import Final

from prometheus_client import CollectorRegistry

from executor_service.sandbox.pool import Result
from executor_service.sandbox.runner import frames
from executor_service.sandbox.runs import Report
from executor_service.telemetry.instruments import Histogram, Tally

CRASH: Final = "crash"
_BY_REPORT: Final = {
    frames.CPU_TIME: "cpu_time",
    frames.WALL_TIME: "wall_time",
    frames.RESULT_SIZE: "output",
    frames.STREAM_SIZE: "output",
    frames.STDERR_SIZE: "output",
    frames.SCRATCH_SIZE: "output",
    frames.CANCELLED: "cancelled",
}
_BY_STATUS: Final = {"memory_limit": "memory", "output_limit": "output", "timeout": "cpu_time"}
"""Where the report alone does not say it: the OOM killer, a MemoryError, the kernel's SIGXCPU."""

ENDINGS: Final = (
    "ok", "runtime_error", "cpu_time", "wall_time", "memory", "output", "process_limit",
    "security_violation", "unsupported_value", "invalid_program", "invalid_input", CRASH,
    "cancelled",
)  # fmt: skip
"""What a run can end with: the run statuses, with the two time limits told apart, and a program
that a signal of its own making ended (``crash``)."""


class RunMetrics:
    """The instruments of runs; the pool calls ``run_ended``."""

    def __init__(self, registry: CollectorRegistry) -> None:
        """Show them in ``registry``."""
        self._tally = Tally(
            "run_endings",
            "Runs that ended, by what ended them: ok, or the limit or error that did.",
            ("ending",),
            [(ending,) for ending in ENDINGS],
        )
        cpu = Histogram("run_cpu_seconds", "CPU time of a run, as its supervisor measured it.")
        wall = Histogram(
            "run_wall_seconds", "Time from a run's start to its end, waiting for a CPU included."
        )
        for instrument in (self._tally, cpu, wall):
            registry.register(instrument)
        self._cpu = cpu.of()
        self._wall = wall.of()

    def run_ended(self, report: Report, result: Result) -> None:
        """Take note of a run that has ended."""
        self._tally.add((ending_of(report.ending, result.status),))
        usage = report.usage
        self._cpu.observe(usage.cpu_ms / 1000)
        self._wall.observe(usage.wall_ms / 1000)


def ending_of(ending: int, status: str) -> str:
    """Return the word for an ending of ``frames`` that amounts to a run status."""
    if ending == frames.SIGNALED and status == "runtime_error":
        return CRASH
    return _BY_REPORT.get(ending) or _BY_STATUS.get(status, status)
