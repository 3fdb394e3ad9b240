"""Which model is trained, and how its sampler and its learner run."""

from typing import Literal

from pydantic import Field

from trainer_client.config.section import Section


class ModelConfig(Section):
    """The model to start from."""

    path: str = ""
    """A directory or hub name in Hugging Face layout; empty where a command makes the model."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    """Where sampler and learner run; ``auto`` takes the GPU when there is one."""
    compute_dtype: Literal["float32", "bfloat16"] = "bfloat16"
    """Precision of forward and backward; master weights and optimizer are always fp32."""
    attention: Literal["sdpa", "eager", "flash_attention_2"] = "sdpa"
    """The attention implementation that transformers is asked for."""
    gradient_checkpointing: bool = True
    """Recompute activations in the backward pass: a third more time, far less memory."""
    trust_remote_code: Literal[False] = False
    """Always false: a checkpoint's own code is code that nobody here has read."""


class SamplerConfig(Section):
    """How responses are generated."""

    backend: Literal["transformers"] = "transformers"
    """The sampler's implementation."""
    max_batch_tokens: int = Field(default=65_536, ge=64)
    """Prompt plus response tokens generated side by side; more is faster until memory ends."""
    dtype: Literal["float32", "bfloat16", "auto"] = "auto"
    """Precision of the sampler's copy of the weights; ``auto`` is the learner's compute type."""
    restarts: int = Field(default=1, ge=0)
    """How often a crashed sampler is rebuilt from the last weights within one step."""


class LengthConfig(Section):
    """Limits on tokens."""

    max_prompt_tokens: int = Field(default=6144, ge=8)
    """A longer prompt is skipped and counted, never cut."""
    max_response_tokens: int = Field(default=8096, ge=1)
    """A response is cut here and then counts as badly formatted."""


class LearnerConfig(Section):
    """How the update is cut into pieces that fit."""

    micro_batch_tokens: int = Field(default=16_384, ge=64)
    """Prompt plus response tokens, padding included, of one forward and backward pass."""
    minibatches: int = Field(default=1, ge=1)
    """Optimizer steps that one collected batch is divided into (AZR: one)."""
    epochs: int = Field(default=1, ge=1)
    """Passes over the collected batch."""
    logprob_chunk_tokens: int = Field(default=1024, ge=1)
    """Positions whose logits exist at once; the full vocabulary never stands at full length."""
    old_logprobs: Literal["recompute", "sampler"] = "recompute"
    """Where PPO's old log-probabilities come from when there is more than one optimizer step."""


class OptimizerConfig(Section):
    """AdamW on fp32 master weights."""

    lr: float = Field(default=1e-6, gt=0)
    """Learning rate (AZR: 1e-6, constant)."""
    betas: tuple[float, float] = (0.9, 0.999)
    """Decay of the first and second moment."""
    weight_decay: float = Field(default=0.01, ge=0)
    """Decoupled weight decay."""
    eps: float = Field(default=1e-8, gt=0)
    """Added to the root of the second moment."""
    grad_clip: float = Field(default=1.0, gt=0)
    """Largest norm of the gradient over all parameters."""
    warmup_steps: int = Field(default=0, ge=0)
    """Steps of linear warm-up, counted in optimizer steps."""
    schedule: Literal["constant", "linear"] = "constant"
    """``linear`` falls to zero at the last step."""
