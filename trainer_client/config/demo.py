"""The base model that a demo makes for itself, and the world it lives in."""

from typing import Literal

from pydantic import Field, model_validator

from trainer_client.config.section import Section


class ShapeConfig(Section):
    """The size of a demo's model: Qwen2's architecture with tied embeddings."""

    hidden_size: int = Field(default=96, ge=8)
    """Width; a multiple of twice `heads`."""
    intermediate_size: int = Field(default=256, ge=8)
    """Width of the feed-forward layers."""
    layers: int = Field(default=3, ge=1)
    """Layers."""
    heads: int = Field(default=3, ge=1)
    """Attention heads, as many for keys and values."""
    positions: int = Field(default=512, ge=16)
    """Longest prompt and response together, in tokens."""
    rope_theta: float = Field(default=500.0, gt=0)
    """Base of the rotary embedding's wavelengths."""
    initializer_range: float = Field(default=0.08, gt=0)
    """Standard deviation of the random weights."""

    @model_validator(mode="after")
    def _heads_divide_the_width(self) -> "ShapeConfig":
        if self.hidden_size % (2 * self.heads):
            raise ValueError("demo.shape.hidden_size: must be a multiple of twice demo.shape.heads")
        return self


class WarmUpConfig(Section):
    """The supervised warm-up that turns random weights into a base model."""

    steps: int = Field(default=500, ge=1)
    """Optimizer steps."""
    batch_size: int = Field(default=64, ge=1)
    """Examples of one step."""
    matrix_rate: float = Field(default=0.02, gt=0)
    """Muon's peak learning rate (the network's matrices)."""
    other_rate: float = Field(default=5e-3, gt=0)
    """AdamW's peak learning rate (embedding, norms, biases)."""
    rising_steps: int = Field(default=20, ge=0)
    """Steps of linear rise before the linear fall to zero."""
    micro_batch_tokens: int = Field(default=2048, ge=64)
    """Of one forward pass, padding included."""


class DemoConfig(Section):
    """What `azr-trainer demo` makes before its run; other commands leave it alone."""

    world: Literal["strings", "typed"] = "strings"
    """``strings``: short texts, eight kinds of operation; ``typed``: all value types, loops."""
    traces: bool = False
    """Solvers of the typed world are taught to write out the values on the way."""
    shape: ShapeConfig = ShapeConfig()
    """The model's size."""
    warm_up: WarmUpConfig = WarmUpConfig()
    """The warm-up."""
