"""What one run plays with: its configuration, its model's two sides, its words and its tasks."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from transformers import PreTrainedTokenizerBase

from trainer_client.buffers.buffers import TaskBuffers
from trainer_client.config import RunConfig
from trainer_client.learning.learner import Learner
from trainer_client.prompts.prompt_set import PromptSet
from trainer_client.records.kinds import Role, Task, TaskRole
from trainer_client.records.problems import Problem
from trainer_client.sampling.sampler import Sampler
from trainer_client.tasks.kind import TaskKind, VerifyRules
from trainer_client.tasks.registry import task_kind
from trainer_client.verifier.session import Verifier


def _nothing(_: Problem) -> bool:
    """No problem is held out."""
    return False


@dataclass
class Arena:
    """The parts of a run. They are made in `trainer_client.selfplay.assembly` and used in a step.

    Attributes:
        make_sampler: builds a sampler anew; called again after a crash.
        is_held_out: tells which problems may not be learnt from, so that they never enter a buffer.
    """

    config: RunConfig
    tokenizer: PreTrainedTokenizerBase
    prompts: PromptSet
    learner: Learner
    make_sampler: Callable[[], Sampler]
    verifier: Verifier
    buffers: TaskBuffers
    is_held_out: Callable[[Problem], bool] = _nothing
    sampler: Sampler = field(init=False)

    def __post_init__(self) -> None:
        """Build the sampler and give it the policy's weights."""
        self.sampler = self.make_sampler()
        self.sampler.sync_weights(self.learner)

    def rebuild_sampler(self) -> None:
        """Replace a crashed sampler; the old one goes first, as two may not fit the device."""
        del self.sampler
        self.__post_init__()

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
