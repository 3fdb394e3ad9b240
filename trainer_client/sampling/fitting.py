"""Whether a policy's parameters are those of a sampler's model, checked as they come by."""

from collections.abc import Generator, Iterable, Mapping

import torch
from torch import Tensor

from trainer_client.errors import ConfigError


def fitting(
    tensors: Iterable[tuple[str, Tensor]], shapes: Mapping[str, torch.Size]
) -> Generator[tuple[str, Tensor], None, None]:
    """Pass on parameters that are all known, each of the right shape, and complete.

    Where the policy is divided among processes, gathering a parameter takes all of them: the rest
    is gone through even when this process has no use for it any more. Close the iterator
    (`contextlib.closing`) where its consumer may fail.

    Args:
        tensors: a policy's parameters by their Hugging Face names.
        shapes: of the sampler's model.

    Raises:
        ConfigError: a parameter is missing, unknown or of another shape.
    """
    missing = set(shapes)
    rest = iter(tensors)
    try:
        for name, tensor in rest:
            own = shapes.get(name)
            if own is None:
                raise ConfigError(f"the sampler's model has no parameter {name!r}")
            if own != tensor.shape:
                raise ConfigError(
                    f"parameter {name!r} is {tuple(tensor.shape)} in the policy and "
                    f"{tuple(own)} in the sampler"
                )
            missing.discard(name)
            yield name, tensor
    finally:
        for _ in rest:
            pass
    if missing:
        raise ConfigError(f"the policy's weights lack {len(missing)}: {sorted(missing)[:3]}")
