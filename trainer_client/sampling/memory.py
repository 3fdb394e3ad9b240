"""Out of memory, told apart from other failures and turned into advice."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from trainer_client.errors import OutOfMemory


@contextmanager
def memory_advice(what: str, advice: str) -> Iterator[None]:
    """Name the settings to lower when the block runs out of memory.

    Args:
        what: what was being done, for instance ``generation``.
        advice: which settings to lower.

    Raises:
        OutOfMemory: the device, or the host's allocator, had no memory left.
    """
    try:
        yield
    except torch.OutOfMemoryError as error:
        raise OutOfMemory(f"{what} ran out of memory: {advice} ({_first_line(error)})") from error
    except RuntimeError as error:
        # The CPU's allocator has no exception of its own.
        if "DefaultCPUAllocator" not in str(error):
            raise
        raise OutOfMemory(f"{what} ran out of memory: {advice} ({_first_line(error)})") from error


def _first_line(error: BaseException) -> str:
    return str(error).splitlines()[0][:200] if str(error) else type(error).__name__
