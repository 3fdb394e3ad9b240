"""`Judge`: what turns answers to one kind of problem into judgements."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Protocol

Passed = dict[str, bool]


@dataclass(frozen=True)
class Judgement:
    """What is known of one answer.

    Attributes:
        passed: the verdict of each check, in the judge's order; None: trouble of the service's own,
            nothing is known.
        status: ``correct``, ``wrong`` or why it could not be right, for a reader.
        detail: more of it.
        left_out: inputs of the problem whose expected output is too large to be compared.
    """

    passed: Passed | None
    status: str
    detail: str = ""
    left_out: int = 0


Ask = Callable[[str], Awaitable[Judgement]]
"""Judges one answer to a problem that was made ready."""


class Judge(Protocol):
    """Judges answers to problems of one kind."""

    @property
    def checks(self) -> tuple[str, ...]:
        """The names of the verdicts; the last is the one that counts."""
        ...

    @property
    def rules(self) -> dict[str, Any]:
        """What verdicts depend on besides problem and answer, as JSON."""
        ...

    async def prepare(self, problem: Any) -> Ask:
        """Compute what the answers to a problem are compared with.

        Raises:
            NoGold: its reference has no output here.
        """
        ...


class NoGold(Exception):
    """A problem's reference solution gives no output to compare with, on this verifier."""
