"""Every error the trainer raises on purpose.

    TrainerError
    ├── ConfigError           the configuration is wrong: the message names the field and the fix
    ├── DataError             a file of triplets, a prompt template or a run directory is damaged
    ├── FormatError           a model's text is not in the asked form: a result, caught by its task
    ├── CheckpointError       a checkpoint cannot be written, read, or belongs to another run
    ├── EmptyBuffer           no task to sample from, and none could be proposed
    ├── VerifierError         the verifier refused what we sent: our mistake, not to be repeated
    │   ├── VerifierAway      it did not answer within the patience given (training pauses first)
    │   └── NoVerdict         it had trouble of its own over a sample that must have a reward
    ├── PeerFailed            another process of the run failed or is gone; its own message says how
    ├── SamplerCrashed        generation failed and did not recover from the last weights
    ├── StaleWeights          generation was asked for with weights older than the policy's
    ├── OutOfMemory           the device is full: the message says which setting to lower
    └── NonFiniteLoss         loss or gradient is NaN or infinite; the last checkpoint is good

A wrong answer, a rejected proposal and an over-long prompt are data and never raise past the
function that met them. An `infra_error` verdict is data as well: it masks its sample.
"""


class TrainerError(Exception):
    """The parent of all errors of this package; the commands print it as one line."""


class ConfigError(TrainerError):
    """A setting is missing, unknown or out of its bounds."""


class DataError(TrainerError):
    """A data file, a prompt template or a run directory cannot be read as what it should be."""


class FormatError(TrainerError):
    """A response does not have the form that its prompt asked for."""


class CheckpointError(TrainerError):
    """A checkpoint is damaged, incomplete or made by a different configuration."""


class EmptyBuffer(TrainerError):
    """Tasks were asked of a buffer that holds none."""


class VerifierError(TrainerError):
    """The verifier refused a request as malformed or unauthorised."""


class VerifierAway(VerifierError):
    """The verifier could not be reached, or kept failing, for longer than the patience set."""


class PeerFailed(TrainerError):
    """Another process of a parallel run failed, is gone, or does something else than this one."""


class NoVerdict(VerifierError):
    """A completion has no verdict, and its trainer cannot leave it out; no number is invented."""


class SamplerCrashed(TrainerError):
    """The sampler failed again after a restart from the last weights."""


class StaleWeights(TrainerError):
    """The sampler holds weights of another version than the policy to sample from."""


class OutOfMemory(TrainerError):
    """The device ran out of memory."""


class NonFiniteLoss(TrainerError):
    """The loss or the gradient norm is not a finite number."""
