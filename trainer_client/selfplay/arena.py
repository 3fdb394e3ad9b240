"""What one run plays with: its configuration, its model's two sides, its words and its tasks."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from transformers import PreTrainedTokenizerBase

from trainer_client.buffers.buffers import TaskBuffers
from trainer_client.config import RunConfig
from trainer_client.learning.learner import Learner
from trainer_client.parallel.ranks import SINGLE, Ranks
from trainer_client.prompts.prompt_set import PromptSet
from trainer_client.records.kinds import Role, Task, TaskRole
from trainer_client.records.problems import Problem
from trainer_client.sampling.sampler import Sampler
from trainer_client.tasks.kind import TaskKind, VerifyRules
from trainer_client.tasks.registry import task_kind
from trainer_client.verifier.judge import Judge


def _nothing(_: Problem) -> bool:
    """No problem is held out."""
    return False


@dataclass
class Arena:
    """The parts of a run. They are made in `trainer_client.selfplay.assembly` and used in a step.

    Attributes:
        make_sampler: builds a sampler anew; called again after a crash.
        is_held_out: tells which problems may not be learnt from, so that they never enter a buffer.
        ranks: the processes that play the run together.
    """

    config: RunConfig
    tokenizer: PreTrainedTokenizerBase
    prompts: PromptSet
    learner: Learner
    make_sampler: Callable[[], Sampler]
    verifier: Judge
    buffers: TaskBuffers
    is_held_out: Callable[[Problem], bool] = _nothing
    ranks: Ranks = SINGLE
    sampler: Sampler = field(init=False)
    _held: int | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        """Build the sampler and give it the policy's weights."""
        self.sampler = self.make_sampler()
        try:
            self.sampler.sync_weights(self.learner)
        except BaseException:
            self.sampler.close()
            raise

    def rebuild_sampler(self) -> None:
        """Replace a crashed sampler; the old one goes first, as two may not fit the device."""
        self.sampler.close()
        self.__post_init__()

    def close(self) -> None:
        """Close the sampler, whose engine may be processes of its own."""
        self.sampler.close()

    @property
    def sampled_version(self) -> int:
        """The version of the weights that is meant to be sampled from: the learner's, or held."""
        return self.learner.version if self._held is None else self._held

    @property
    def holds_version(self) -> bool:
        """Whether the learner may be under way to another version than the sampled one."""
        return self._held is not None

    @contextmanager
    def holding_version(self) -> Iterator[None]:
        """Go on meaning the learner's present version while the learner takes its steps."""
        self._held = self.learner.version
        try:
            yield
        finally:
            self._held = None

    @property
    def kinds(self) -> Sequence[TaskKind]:
        """The tasks that are played, in the order of the configuration."""
        return [task_kind(task) for task in self.config.tasks.kinds]

    @property
    def rules(self) -> VerifyRules:
        """What is sent to the verifier with each operation."""
        return VerifyRules(self.config.tasks.equality, self.config.verifier.cpu_seconds)

    @property
    def solver_batch(self) -> int:
        """Responses of one solver task-role and step."""
        return self.config.solve.batch_size or self.config.batch_size


def proposer(task: Task) -> TaskRole:
    """Return the task's proposing role."""
    return TaskRole(task, Role.PROPOSE)


def solver(task: Task) -> TaskRole:
    """Return the task's solving role."""
    return TaskRole(task, Role.SOLVE)
