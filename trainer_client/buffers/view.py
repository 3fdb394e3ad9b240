"""What a proposer may draw from: the problems of its task, and all programs there are."""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from trainer_client.errors import EmptyBuffer
from trainer_client.records.problems import Problem, Triplet


@dataclass(frozen=True)
class BufferView:
    """The buffers as one proposer sees them: live, not a copy, and not to be changed.

    Attributes:
        problems: the task's own buffer, oldest first.
        programs: the buffers whose programs an induction problem can be made from.
    """

    problems: Sequence[Problem] = ()
    programs: tuple[Sequence[Problem], ...] = ()

    def references(self, count: int, rng: Random) -> tuple[Triplet, ...]:
        """Draw up to ``count`` triplets without replacement; all of them when there are fewer."""
        drawn = rng.sample(self.problems, min(count, len(self.problems)))
        return tuple(problem for problem in drawn if isinstance(problem, Triplet))

    def base(self, rng: Random) -> Problem:
        """Draw a problem whose program an induction problem is made from, uniformly.

        Raises:
            EmptyBuffer: there is no program.
        """
        total = sum(map(len, self.programs))
        if not total:
            raise EmptyBuffer("there is no program yet to make an induction problem from")
        place = rng.randrange(total)
        for buffer in self.programs:
            if place < len(buffer):
                return buffer[place]
            place -= len(buffer)
        raise AssertionError("the place is below the total")
