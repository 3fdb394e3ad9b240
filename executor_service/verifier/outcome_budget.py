"""What the outcomes of one execute may take together.

Each run's value has a bound of its own, but a thousand of them would fill the memory of whoever
carries them on. Over the budget every value is left out, those that would still have fitted too:
which ones fit would depend on which runs were done first.
"""

from dataclasses import replace
from typing import Any

from executor_service.sandbox.runs import RunError, RunResult


class OutcomeBudget:
    """Counts the bytes of one operation's outcomes."""

    def __init__(self, most: int) -> None:
        """``most`` bytes are allowed, encoded."""
        self._most = most
        self._used = 0

    @property
    def exceeded(self) -> bool:
        """Tell whether the outcomes are too long together."""
        return self._used > self._most

    def take(self, run: RunResult) -> RunResult:
        """Count a run; return it, or what stands in its place once the budget is exceeded."""
        if run.status != "ok":
            return run
        # A result from the cache has lost its size; its value's repr is no longer than its form.
        self._used += run.size or len(str(run.values))
        self._used += len(run.stdout) + len(run.stderr)
        return self._refusal(run) if self.exceeded else run

    def settle(self, outcomes: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Return the outcomes, all without their values if the budget was exceeded."""
        if not self.exceeded:
            return outcomes
        error = {"type": "OutputLimit", "message": self._message, "line": None}
        empty = {"status": "output_limit", "output": None, "value": None, "stdout": "",
                 "stderr": "", "error": error}  # fmt: skip
        return [
            outcome | empty if outcome["status"] in ("ok", "output_limit") else outcome
            for outcome in outcomes
        ]

    @property
    def _message(self) -> str:
        return f"the outcomes are together longer than {self._most} bytes: ask for fewer at once"

    def _refusal(self, run: RunResult) -> RunResult:
        error = RunError("OutputLimit", self._message)
        return replace(run, status="output_limit", values=(), error=error, stdout="", stderr="")
