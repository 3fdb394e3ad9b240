"""A response to be imitated."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Example:
    """One pair for supervised fine-tuning.

    Attributes:
        prompt: token ids that are read; they carry no loss.
        response: token ids that are taught, the end token included.
        weight: of each of its tokens in the loss.
    """

    prompt: tuple[int, ...]
    response: tuple[int, ...]
    weight: float = 1.0
