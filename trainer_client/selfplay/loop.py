"""The loop around a step: metrics, sampled rollouts, checkpoints, and an orderly end.

The same loop runs self-play, RLVR and SFT: they differ in the step alone.
"""

import logging
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Protocol

from trainer_client.records.rollouts import Scored
from trainer_client.selfplay.arena import Arena
from trainer_client.selfplay.step import StepResult

log = logging.getLogger(__name__)
Step = Callable[[Arena, int], StepResult]


class Observer(Protocol):
    """Something that is told of every finished step: a metrics file, a live view."""

    def observe(self, step: int, metrics: dict[str, float], samples: list[Scored]) -> None:
        """Take note of a step."""
        ...


class Keeper(Protocol):
    """Something that saves the run's whole state."""

    def save(self, arena: Arena, step: int) -> None:
        """Save what a resumed run needs to go on after `step`."""
        ...


class Stop:
    """Whether the run was asked to end (SIGTERM, SIGINT): it ends after the present step."""

    def __init__(self, agree: Callable[[bool], bool] = bool) -> None:
        """Nobody has asked yet; `agree` tells whether any process of the run was."""
        self.asked = False
        self._agree = agree

    def agreed(self) -> bool:
        """Whether the run ends after this step; all its processes ask at the same point."""
        return self._agree(self.asked)

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Take the signals over; a second one ends the process in the ordinary way."""
        names = (signal.SIGTERM, signal.SIGINT)
        before = {name: signal.getsignal(name) for name in names}

        def ask(number: int, _: FrameType | None) -> None:
            self.asked = True
            log.warning("asked to stop: the run ends and is saved after this step")
            signal.signal(number, before[signal.Signals(number)])

        for name in names:
            signal.signal(name, ask)
        try:
            yield
        finally:
            for name, handler in before.items():
                signal.signal(name, handler)


def run_steps(
    arena: Arena,
    one_step: Step,
    *,
    after: int,
    observers: list[Observer],
    keeper: Keeper,
    stop: Stop,
) -> int:
    """Run the steps that follow `after`; return the last one that was done.

    The state is saved every `checkpoints.every` steps, after the last one, and when asked to stop.

    Raises:
        TrainerError: a step failed; the last checkpoint stands.
    """
    config = arena.config
    done = after
    with stop.listening():
        for step in range(after + 1, config.steps + 1):
            result = one_step(arena, step)
            done = step
            for observer in observers:
                observer.observe(step, result.metrics, result.samples)
            # Read once: what is asked for while the state is saved ends the run a step later.
            last = step == config.steps or stop.agreed()
            if last or step % config.checkpoints.every == 0:
                keeper.save(arena, step)
            if last:
                break
    return done
