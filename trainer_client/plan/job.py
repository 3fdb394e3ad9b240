"""`Job`: a configuration on some GPUs, with what memory and time both depend on."""

from dataclasses import dataclass

from trainer_client.config.model import LoraConfig
from trainer_client.config.run import RunConfig
from trainer_client.errors import ConfigError
from trainer_client.plan.hardware import Gpu
from trainer_client.plan.shapes import ModelShape, shape_of

FP32 = 4
"""Bytes."""
BF16 = 2
"""Bytes."""


@dataclass(frozen=True)
class Job:
    """What is to be run, and on what.

    Attributes:
        config: the run.
        shape: of `model.path`.
        gpus: processes that torchrun starts, one for each GPU.
        gpu: each of them.
    """

    config: RunConfig
    shape: ModelShape
    gpus: int
    gpu: Gpu

    @property
    def compute_bytes(self) -> int:
        """Bytes of a number in forward and backward."""
        return BF16 if self.config.model.compute_dtype == "bfloat16" else FP32

    @property
    def sampler_bytes(self) -> int:
        """Bytes of a number in the sampler's copy and its KV cache."""
        chosen = self.config.sampler.dtype
        return {"float32": FP32, "bfloat16": BF16, "auto": self.compute_bytes}[chosen]

    @property
    def casts(self) -> bool:
        """Whether fp32 weights are cast under autocast: one process does; FSDP gathers in bf16."""
        return self.gpus == 1 and self.compute_bytes == BF16 and self.config.model.lora is None

    @property
    def stream_bytes(self) -> int:
        """Bytes of a number of the residual stream: fp32 under autocast, else the compute type."""
        return FP32 if self.casts else self.compute_bytes

    @property
    def taught(self) -> int:
        """Parameters that are taught: all, or the adapters'."""
        lora = self.config.model.lora
        return self.shape.parameters if lora is None else adapters(self.shape, lora)

    @property
    def longest(self) -> int:
        """Tokens of the longest sample: what the limits on prompt and response allow."""
        return self.config.lengths.max_prompt_tokens + self.config.lengths.max_response_tokens

    @property
    def positions(self) -> int:
        """Positions of the largest micro-batch: a sample longer than the budget goes alone."""
        return max(self.config.learner.micro_batch_tokens, self.longest)


def job(config: RunConfig, gpus: int, gpu: Gpu) -> Job:
    """Return the job of a configuration.

    Raises:
        ConfigError: the shape of `model.path` is not known, or the GPUs cannot be divided so.
    """
    if gpus < 1:
        raise ConfigError(f"--gpus: at least one is needed, not {gpus}")
    if gpus > 1 and not divisible(config):
        raise ConfigError(
            "optimizer.offload cpu and optimizer.kind adamw_8bit are for one GPU; several divide "
            "the moments among them"
        )
    if gpus > 1 and config.sampler.tensor_parallel > 1 and config.sampler.backend == "vllm":
        raise ConfigError(
            "sampler.tensor_parallel: each of several processes has an engine on its own GPU; set "
            "it to 1"
        )
    return Job(config, shape_of(config.model.path), gpus, gpu)


def divisible(config: RunConfig) -> bool:
    """Tell whether several GPUs may share the optimizer's state."""
    return config.optimizer.kind == "adamw" and config.optimizer.offload == "none"


def adapters(shape: ModelShape, lora: LoraConfig) -> int:
    """Count the numbers of LoRA's adapters: rank × (inputs + outputs) of each adapted matrix."""
    hidden, query, kv, feed = shape.hidden, shape.query_width, shape.kv_width, shape.feed_forward
    sides = {
        "q_proj": hidden + query,
        "k_proj": hidden + kv,
        "v_proj": hidden + kv,
        "o_proj": query + hidden,
        "gate_proj": hidden + feed,
        "up_proj": hidden + feed,
        "down_proj": feed + hidden,
    }
    unknown = [name for name in lora.targets if name not in sides]
    if unknown:
        raise ConfigError(f"model.lora.targets: {unknown[0]} is none of {', '.join(sides)}")
    return shape.layers * lora.rank * sum(sides[name] for name in lora.targets or sides)
