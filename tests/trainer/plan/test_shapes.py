"""Model shapes: their counts are those of the real architectures."""

import json
from dataclasses import replace

import pytest
import torch
from transformers import AutoModelForCausalLM, LlamaConfig, Qwen2Config, Qwen3Config

from trainer_client.errors import ConfigError
from trainer_client.plan.shapes import SHAPES, ModelShape, shape_of

PUBLISHED = {
    "Qwen2.5-0.5B": 494_032_768,
    "Qwen2.5-1.5B": 1_543_714_304,
    "Qwen2.5-3B": 3_085_938_688,
    "Qwen2.5-7B": 7_615_616_512,
    "Qwen2.5-14B": 14_770_033_664,
    "Llama-3.1-8B": 8_030_261_248,
    "Qwen3-4B": 4_022_468_096,
}
"""Parameters of the checkpoints (the sum that their safetensors index gives)."""


def config_of(shape: ModelShape):
    kind = Qwen2Config if shape.qkv_bias else Qwen3Config if shape.qk_norm else LlamaConfig
    return kind(
        hidden_size=shape.hidden,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        num_key_value_heads=shape.kv_heads,
        head_dim=shape.head_dim,
        intermediate_size=shape.feed_forward,
        vocab_size=shape.vocabulary,
        tie_word_embeddings=shape.tied,
    )


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.name)
def test_the_formula_counts_the_parameters_of_the_real_architecture(shape):
    # All layers are alike; making 48 of them takes a minute.
    short = replace(shape, layers=1)
    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(config_of(short))
    assert short.parameters == sum(p.numel() for p in model.parameters())
    assert shape.parameters - short.parameters == (shape.layers - 1) * shape.layer
    layer = model.get_decoder().layers[0]
    assert shape.layer == sum(p.numel() for p in layer.parameters())
    assert shape.layer_matrices == sum(p.numel() for p in layer.parameters() if p.dim() == 2)


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.name)
def test_the_count_is_the_published_one(shape):
    assert shape.parameters == PUBLISHED[shape.name]


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("Qwen/Qwen2.5-Coder-3B", "Qwen2.5-3B"),
        ("Qwen/Qwen2.5-Coder-7B-Instruct", "Qwen2.5-7B"),
        ("meta-llama/Llama-3.1-8B", "Llama-3.1-8B"),
        ("Qwen/Qwen3-4B-Base", "Qwen3-4B"),
        ("Qwen2.5-0.5B", "Qwen2.5-0.5B"),
    ],
)
def test_a_published_models_variants_have_its_shape(path, name):
    assert shape_of(path).name == name


@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.name)
def test_a_model_directory_is_read(shape, tied, tmp_path):
    config_of(replace(shape, tied=tied)).save_pretrained(tmp_path)
    assert shape_of(str(tmp_path)) == replace(shape, tied=tied, name=tmp_path.name)


def test_the_cache_holds_a_key_and_a_value_for_each_layer_and_kv_head():
    # 36 layers x 2 heads x 128 wide, keys and values.
    assert shape_of("Qwen/Qwen2.5-3B").cache_numbers == 18_432


@pytest.mark.parametrize("path", ["", "Qwen/Qwen2.5-72B", "/nowhere/at/all"])
def test_an_unknown_model_is_refused_with_those_that_are_known(path):
    with pytest.raises(ConfigError, match=r"model.path.*Qwen2.5-3B"):
        shape_of(path)


@pytest.mark.parametrize(
    ("text", "said"),
    [("{", "cannot be read"), ('{"model_type": "gpt2"}', "gpt2"), ("[]", "cannot be read"),
     (json.dumps({"model_type": "llama"}), "num_attention_heads")],
)  # fmt: skip
def test_a_damaged_or_foreign_config_is_refused(tmp_path, text, said):
    (tmp_path / "config.json").write_text(text)
    with pytest.raises(ConfigError, match=said):
        shape_of(str(tmp_path))
