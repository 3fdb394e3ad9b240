"""What a vLLM engine may be asked for now: it never generates with weights of another version.

    READY --sleep--> ASLEEP --wake--> READY           (its weights stayed with it)
                     ASLEEP --wake--> EMPTY --loaded--> READY   (they did not: sleep level 2)
    any --failed--> FAILED                            (for good: build a new one)

A weight update is not atomic: after one that failed half-way nobody knows which weights the engine
holds, and so nothing is ever sampled from it again.
"""

from enum import Enum

from trainer_client.errors import SamplerCrashed, StaleWeights

UNKNOWN_VERSION = -1
"""The version before the first weights, while new ones are on their way, and after a failure."""


class Phase(Enum):
    """Where an engine stands."""

    READY = "ready"
    ASLEEP = "asleep"
    EMPTY = "awake without weights"
    FAILED = "failed"
    CLOSED = "closed"


class EngineState:
    """The version of the weights that an engine holds, and what it may be asked for."""

    def __init__(self, version: int) -> None:
        """Begin ready, with weights of a version."""
        self.version = version
        self.phase = Phase.READY
        self._cause: BaseException | None = None

    @property
    def asleep(self) -> bool:
        """Whether it has been put to sleep and not been woken."""
        return self.phase is Phase.ASLEEP

    @property
    def empty(self) -> bool:
        """Whether it is awake and must be given weights first."""
        return self.phase is Phase.EMPTY

    @property
    def usable(self) -> bool:
        """Whether the engine can be asked for anything at all."""
        return self.phase not in {Phase.FAILED, Phase.CLOSED}

    def require_version(self, version: int) -> None:
        """Make sure that this version can be sampled from.

        Raises:
            SamplerCrashed: the engine failed earlier, or is closed.
            StaleWeights: it is asleep, or holds another version.
        """
        self.require_awake("generate")
        if version != self.version:
            raise StaleWeights(
                f"the sampler holds weights of version {self.version}, not {version}: "
                "sync_weights is missing after an update"
            )

    def require_awake(self, action: str) -> None:
        """Make sure that the engine is awake.

        Raises:
            SamplerCrashed: it failed earlier, or is closed.
            StaleWeights: it is asleep.
        """
        if not self.usable:
            raise SamplerCrashed(
                f"the sampler's engine is {self.phase.value} and cannot {action}"
                + (f": {self._cause}" if self._cause else "")
            ) from self._cause
        if self.asleep:
            raise StaleWeights(f"the sampler is asleep and cannot {action}: wake it first")

    def sleep(self) -> None:
        """It was put to sleep."""
        self.phase = Phase.ASLEEP

    def wake(self, *, with_weights: bool) -> None:
        """It was woken; with the weights it fell asleep with, or with none."""
        self.phase = Phase.READY if with_weights else Phase.EMPTY

    def expect(self) -> None:
        """New weights are on their way: until they have arrived it holds no version."""
        self.version = UNKNOWN_VERSION

    def loaded(self, version: int) -> None:
        """It holds all weights of this version."""
        self.phase = Phase.READY
        self.version = version

    def fail(self, cause: BaseException) -> None:
        """It failed; whatever it is asked for from now on raises."""
        if self.usable:
            self.phase, self.version, self._cause = Phase.FAILED, UNKNOWN_VERSION, cause

    def close(self) -> None:
        """It is gone."""
        self.phase, self.version, self._cause = Phase.CLOSED, UNKNOWN_VERSION, None
