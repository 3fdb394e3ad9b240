"""Which model is trained, and how its sampler and its learner run."""

from typing import Literal, Self

from pydantic import Field, model_validator

from trainer_client.config.section import Section


class LoraConfig(Section):
    """Low-rank adapters in place of full fine-tuning; they have no dropout."""

    rank: int = Field(default=32, ge=1)
    """Inner width of each adapter."""
    alpha: float = Field(default=64.0, gt=0)
    """The adapter's product is scaled by alpha / rank."""
    targets: tuple[str, ...] = Field(default=(), max_length=32)
    """Names of the modules that get an adapter (``q_proj``); empty: all linear layers but the
    output projection."""


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
    lora: LoraConfig | None = None
    """Teach adapters and freeze the weights below them, which are then held in `compute_dtype`;
    None: every weight is taught. Needs the extra ``lora``."""
    trust_remote_code: Literal[False] = False
    """Always false: a checkpoint's own code is code that nobody here has read."""


class SamplerConfig(Section):
    """How responses are generated."""

    backend: Literal["transformers", "vllm"] = "transformers"
    """The sampler's implementation. ``vllm`` needs the extra ``vllm``; settings whose description
    begins with its name are for it alone."""
    max_batch_tokens: int = Field(default=65_536, ge=64)
    """transformers: prompt plus response tokens generated side by side; more is faster until
    memory ends."""
    dtype: Literal["float32", "bfloat16", "auto"] = "auto"
    """Precision of the sampler's copy of the weights; ``auto`` is the learner's compute type."""
    restarts: int = Field(default=1, ge=0)
    """How often a crashed sampler is rebuilt from the last weights within one step."""
    gpu_memory_utilization: float = Field(default=0.4, gt=0, le=1)
    """vLLM: its share of the device's memory, for weights and key-value cache (on a CPU: of the
    host's memory)."""
    kv_cache_gib: float | None = Field(default=None, gt=0)
    """vLLM: size of the key-value cache; None: what `gpu_memory_utilization` leaves for it."""
    tensor_parallel: int = Field(default=1, ge=1)
    """vLLM: GPUs that share one engine's weights, from the learner's on."""
    max_num_seqs: int = Field(default=256, ge=1)
    """vLLM: responses decoded side by side."""
    max_num_batched_tokens: int = Field(default=16_384, ge=64)
    """vLLM: tokens of one forward pass; longer prompts are read in several."""
    enforce_eager: bool = False
    """vLLM: neither compile the model nor record CUDA graphs: starts sooner, decodes slower."""
    sleep_level: Literal[0, 1, 2] = 2
    """vLLM: what it gives the learner's update: 2 the memory of weights and cache, 1 the same but
    keeps the weights in the host's memory, 0 nothing. A CPU engine always keeps both."""
    weight_sync: Literal["reload", "ipc"] = "reload"
    """vLLM: how new weights reach it: as files in `weights_folder`, or within the GPU (faster;
    sets VLLM_ALLOW_INSECURE_SERIALIZATION, because the handles are pickled)."""
    weights_folder: str = "/dev/shm"  # noqa: S108 - the folder made in it has an unguessable name
    """vLLM: where each engine's weight files are, in a folder of its own; best in memory. They take
    2 bytes a parameter in bfloat16."""

    @model_validator(mode="after")
    def _a_pass_holds_a_token_of_each_response(self) -> Self:
        if self.max_num_batched_tokens < self.max_num_seqs:
            raise ValueError("max_num_batched_tokens: must not be below max_num_seqs")
        return self


class LengthConfig(Section):
    """Limits on tokens."""

    max_prompt_tokens: int = Field(default=6144, ge=8)
    """A longer prompt is skipped and counted, never cut."""
    max_response_tokens: int = Field(default=8096, ge=1)
    """A response is cut here and then counts as badly formatted."""


class LearnerConfig(Section):
    """How the update is cut into pieces that fit."""

    micro_batch_tokens: int = Field(default=16_384, ge=64)
    """Prompt plus response tokens of one forward and backward pass, padding included."""
    minibatches: int = Field(default=1, ge=1)
    """Optimizer steps that one collected batch is divided into (AZR: one)."""
    epochs: int = Field(default=1, ge=1)
    """Passes over the collected batch."""
    logprob_chunk_tokens: int = Field(default=1024, ge=1)
    """Positions whose logits exist at once; the full vocabulary never stands at full length."""
    packing: bool = False
    """Compute a micro-batch's samples end to end in one row, so that no layer sees padding, and
    `micro_batch_tokens` counts tokens alone."""
    compile: bool = False
    """Let torch.compile fuse each decoder layer and the log-probabilities: minutes at the start,
    then less time and memory a step; the results change by rounding."""
    old_logprobs: Literal["recompute", "sampler"] = "recompute"
    """Where PPO's old log-probabilities come from when there is more than one optimizer step."""


class OptimizerConfig(Section):
    """AdamW on fp32 master weights."""

    kind: Literal["adamw", "adamw_8bit"] = "adamw"
    """``adamw_8bit`` keeps the moments of tensors of 4096 values and more in 8 bits: 2 bytes a
    parameter in place of 8. Needs the extra ``8bit``."""
    offload: Literal["none", "cpu"] = "none"
    """``cpu`` keeps AdamW's moments in the host's memory between steps; the results are the same
    to the last bit."""
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

    @model_validator(mode="after")
    def _offload_is_for_full_precision(self) -> Self:
        if self.kind != "adamw" and self.offload != "none":
            raise ValueError(
                f"offload: {self.kind} stays on the device; set offload to none, or kind to adamw"
            )
        return self
