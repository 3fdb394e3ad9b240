"""Solver responses and their verdicts, for training and for Monte Carlo estimates alike."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from trainer_client.errors import FormatError
from trainer_client.records.kinds import Task
from trainer_client.records.problems import Problem
from trainer_client.records.rollouts import Rollout
from trainer_client.rewards.solving import BAD_FORMAT, INFRA_ERROR
from trainer_client.selfplay.arena import Arena
from trainer_client.tasks.registry import task_kind
from trainer_client.verifier.judge import Verdicts


@dataclass(frozen=True)
class Judged:
    """A response to a problem and the status that its verdict has (or `bad_format`)."""

    problem: Problem
    rollout: Rollout
    status: str


class Answers:
    """Responses whose verification is under way; `judged` waits for it."""

    def __init__(
        self, arena: Arena, task: Task, answered: Sequence[tuple[Problem, Rollout]]
    ) -> None:
        """Parse the responses and send what can be judged to the verifier."""
        self._answered = answered
        self._sent: list[int] = []
        kind = task_kind(task)
        items = []
        for place, (problem, rollout) in enumerate(answered):
            if not rollout.finished:
                continue
            try:
                answer = kind.parse_answer(rollout.text, arena.prompts.markup)
            except FormatError:
                continue
            self._sent.append(place)
            items.append(kind.verification(problem, answer, arena.rules))
        self._pending: Verdicts = arena.verifier.submit(items)

    def judged(self) -> list[Judged]:
        """Return every response with its status, in order."""
        statuses = [BAD_FORMAT] * len(self._answered)
        for place, verdict in zip(self._sent, self._pending.results(), strict=True):
            statuses[place] = _status(verdict)
        return [
            Judged(problem, rollout, status)
            for (problem, rollout), status in zip(self._answered, statuses, strict=True)
        ]


def _status(verdict: Mapping[str, Any]) -> str:
    """Return the verdict's status; what says neither right nor wrong is no verdict at all."""
    return INFRA_ERROR if verdict.get("correct") is None else str(verdict["status"])
