"""`ModelShape`: a decoder's dimensions, and the counts that follow from them.

The architectures are those whose layers are attention with grouped keys and values, a gated
feed-forward block and two norms: Qwen2, Qwen3 and Llama.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trainer_client.errors import ConfigError


@dataclass(frozen=True)
class ModelShape:
    """A causal language model's dimensions; counts are of numbers, not bytes.

    Attributes:
        name: without its owner.
        hidden: width of the residual stream.
        layers: decoder layers.
        heads: query heads.
        kv_heads: key and value heads.
        head_dim: width of a head.
        feed_forward: width of the gated block.
        vocabulary: rows of the embedding.
        tied: input and output embedding are one matrix.
        qkv_bias: the projections to queries, keys and values have biases (Qwen2).
        qk_norm: queries and keys are normed by head (Qwen3).
    """

    name: str
    hidden: int
    layers: int
    heads: int
    kv_heads: int
    head_dim: int
    feed_forward: int
    vocabulary: int
    tied: bool
    qkv_bias: bool = False
    qk_norm: bool = False

    @property
    def query_width(self) -> int:
        """Width of all queries of a position: heads × head_dim."""
        return self.heads * self.head_dim

    @property
    def kv_width(self) -> int:
        """Width of all keys, and of all values, of a position: kv_heads × head_dim."""
        return self.kv_heads * self.head_dim

    @property
    def layer_matrices(self) -> int:
        """Numbers in one layer's matrices: q and o, k and v, gate, up and down."""
        attention = 2 * self.hidden * self.query_width + 2 * self.hidden * self.kv_width
        return attention + 3 * self.hidden * self.feed_forward

    @property
    def layer(self) -> int:
        """Parameters of one layer: matrices, two norms, and biases or head norms if any."""
        bias = self.query_width + 2 * self.kv_width if self.qkv_bias else 0
        norms = 2 * self.hidden + (2 * self.head_dim if self.qk_norm else 0)
        return self.layer_matrices + bias + norms

    @property
    def embedding(self) -> int:
        """Numbers in the embedding, and as many in an output projection of its own."""
        return self.vocabulary * self.hidden

    @property
    def root(self) -> int:
        """Parameters outside of the layers: embedding, output projection, last norm."""
        return self.embedding * (1 if self.tied else 2) + self.hidden

    @property
    def parameters(self) -> int:
        """All parameters, tied ones once."""
        return self.layers * self.layer + self.root

    @property
    def cache_numbers(self) -> int:
        """Numbers that the KV cache keeps for a position: a key and a value in each layer."""
        return 2 * self.layers * self.kv_width


def _qwen2(name: str, *dimensions: int, tied: bool) -> ModelShape:
    hidden, layers, heads, kv_heads, feed_forward, vocabulary = dimensions
    head_dim = hidden // heads
    return ModelShape(
        name, hidden, layers, heads, kv_heads, head_dim, feed_forward, vocabulary, tied,
        qkv_bias=True,
    )  # fmt: skip


SHAPES = (
    _qwen2("Qwen2.5-0.5B", 896, 24, 14, 2, 4864, 151_936, tied=True),
    _qwen2("Qwen2.5-1.5B", 1536, 28, 12, 2, 8960, 151_936, tied=True),
    _qwen2("Qwen2.5-3B", 2048, 36, 16, 2, 11_008, 151_936, tied=True),
    _qwen2("Qwen2.5-7B", 3584, 28, 28, 4, 18_944, 152_064, tied=False),
    _qwen2("Qwen2.5-14B", 5120, 48, 40, 8, 13_824, 152_064, tied=False),
    ModelShape("Llama-3.1-8B", 4096, 32, 32, 8, 128, 14_336, 128_256, tied=False),
    ModelShape("Qwen3-4B", 2560, 36, 32, 8, 128, 9728, 151_936, tied=True, qk_norm=True),
)
"""The published models' dimensions, from the config.json of each on the Hugging Face hub. The
Coder, Instruct and Base models of a size have those of the size."""

VARIANTS = ("-Coder", "-Instruct", "-Base", "Meta-")
"""Parts of a name that do not change the shape."""
TYPES = ("qwen2", "qwen3", "llama")
"""The `model_type`s of a config.json that can be read."""


def shape_of(path: str) -> ModelShape:
    """Return the shape of `model.path`: a directory's config.json, or a published model's.

    Raises:
        ConfigError: it is neither, or of another architecture.
    """
    file = Path(path) / "config.json"
    if path and file.is_file():
        return _from_json(file)
    name = path.rsplit("/", maxsplit=1)[-1]
    for part in VARIANTS:
        name = name.replace(part, "")
    known = {shape.name: shape for shape in SHAPES}
    if name not in known:
        raise ConfigError(
            f"model.path: {path or 'nothing'} is no directory with a config.json and none of the "
            f"models whose shape is known: {', '.join(known)}"
        )
    return known[name]


def _from_json(file: Path) -> ModelShape:
    """Read a model directory's config.json."""
    try:
        values: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        kind = values["model_type"]
        if kind not in TYPES:
            raise ConfigError(f"model.path: the shape of a {kind} is not known, only {TYPES}")
        heads = int(values["num_attention_heads"])
        return ModelShape(
            name=file.parent.name,
            hidden=int(values["hidden_size"]),
            layers=int(values["num_hidden_layers"]),
            heads=heads,
            kv_heads=int(values.get("num_key_value_heads") or heads),
            head_dim=int(values.get("head_dim") or values["hidden_size"] // heads),
            feed_forward=int(values["intermediate_size"]),
            vocabulary=int(values["vocab_size"]),
            tied=bool(values.get("tie_word_embeddings", False)),
            qkv_bias=kind == "qwen2",
            qk_norm=kind == "qwen3",
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as exc:
        raise ConfigError(f"model.path: {file} cannot be read: {exc!r}") from exc
