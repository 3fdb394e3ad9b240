"""`Gpu`: what one GPU holds and does in a second.

Rates are the makers' figures: the floor that they give is not reached. With measured ones
(`benchmarks/trainer.py` measures both) it becomes an estimate.
"""

from dataclasses import dataclass, replace

from trainer_client.errors import ConfigError

GIGA = 1e9
"""Memory is counted in GB of 10^9 bytes. A GPU sold as 80 GB has 80 GiB = 85.9 GB: the difference
is left to the allocator's fragmentation."""


@dataclass(frozen=True)
class Gpu:
    """One GPU.

    Attributes:
        name: as given to ``--gpu``.
        memory: bytes.
        matrix_rate: dense bfloat16 FLOP/s.
        bandwidth: bytes/s of its memory.
        link: bytes/s to the other GPUs of the run, one direction.
        host_link: bytes/s to the host's memory, one direction.
    """

    name: str
    memory: float
    matrix_rate: float
    bandwidth: float
    link: float
    host_link: float


GPUS = {
    gpu.name: gpu
    for gpu in (
        Gpu("a100", 80e9, 312e12, 2.04e12, 300e9, 32e9),
        Gpu("a800", 80e9, 312e12, 2.04e12, 200e9, 32e9),
        Gpu("h100", 80e9, 989e12, 3.35e12, 450e9, 64e9),
        Gpu("h200", 141e9, 989e12, 4.8e12, 450e9, 64e9),
        Gpu("l40s", 48e9, 362e12, 0.864e12, 32e9, 32e9),
        Gpu("rtx4090", 24e9, 165e12, 1.01e12, 32e9, 32e9),
    )
}
"""From NVIDIA's data sheets: SXM modules, bfloat16 without sparsity, NVLink's total halved (it is
given for both directions), PCIe 4 or 5 with 16 lanes."""


def chosen_gpu(
    name: str,
    memory_gb: float | None = None,
    matrix_tflops: float | None = None,
    bandwidth_gbs: float | None = None,
    link_gbs: float | None = None,
) -> Gpu:
    """Return a GPU with what was measured, or is known better, in place of its data sheet.

    Args:
        name: a key of `GPUS`.
        memory_gb: GB of 10^9 bytes.
        matrix_tflops: 10^12 FLOP/s.
        bandwidth_gbs: GB/s of its memory.
        link_gbs: GB/s to the other GPUs; between nodes the network's, for each GPU.

    Raises:
        ConfigError: there is no such GPU.
    """
    if name not in GPUS:
        raise ConfigError(f"--gpu: {name} is none of {', '.join(GPUS)}; give the nearest one")
    gpu = GPUS[name]
    return replace(
        gpu,
        memory=memory_gb * GIGA if memory_gb else gpu.memory,
        matrix_rate=matrix_tflops * 1e12 if matrix_tflops else gpu.matrix_rate,
        bandwidth=bandwidth_gbs * GIGA if bandwidth_gbs else gpu.bandwidth,
        link=link_gbs * GIGA if link_gbs else gpu.link,
    )
