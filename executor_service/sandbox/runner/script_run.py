"""A script under way, as the supervisor sees it: what it prints, and what it leaves behind."""

from dataclasses import dataclass, field
from typing import Any, Final

from . import frames, scratch
from .watched_run import Run

_LOOK_S: Final = 0.05
"""Longest pause between two looks at how many files there are."""


@dataclass
class ScriptRun(Run):
    """One script under way.

    Its terms: ``fetch``, the files wanted back; and ``strict``, whether a stream over its cap ends
    it, where otherwise the rest is thrown away and the script goes on.
    """

    terms: dict[str, Any] = field(default_factory=dict)

    def check_clocks(self) -> float:
        """Kill the script if it is past a limit; return the seconds until the next look."""
        if scratch.files_in_use() > scratch.MOST_FILES:
            self.kill(frames.SCRATCH_SIZE)
        return min(super().check_clocks(), _LOOK_S)

    def kill_for_size(self, index: int) -> None:
        """Kill the script where its terms say so: output ``index`` is over its cap."""
        if self.terms["strict"]:
            self.kill(frames.STREAM_SIZE if index == 1 else frames.STDERR_SIZE)

    def end(self) -> None:
        """Take the files that are wanted, and leave none of the script's behind."""
        self.outputs[0][:] = scratch.fetch(self.terms["fetch"], self.result_cap)
        scratch.clear()

    def _caps(self) -> tuple[tuple[int, int], ...]:
        # Nobody can write to the result pipe: what lies in there, if anything, is not ours.
        return ((self.lane.result, 0), *super()._caps()[1:])
