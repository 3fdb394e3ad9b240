"""How the processes of a run started by ``torchrun`` work together."""

from pydantic import Field

from trainer_client.config.section import Section


class ParallelConfig(Section):
    """Data parallelism with sharded weights; without ``torchrun`` nothing of it is used.

    How many processes there are is torchrun's to say; a run may be resumed with another number.
    """

    timeout_seconds: float = Field(default=3600.0, gt=0)
    """How long a process waits for the others before the run ends with an error. The wait for the
    verifier (`verifier.patience_seconds`) is added where the first process may be in it."""
    reshard_after_forward: bool = True
    """Give a layer's gathered weights back after its forward pass and gather them again for the
    backward pass: less memory, half as much traffic again."""
