"""The demos' models: Qwen2's architecture, from a third of a million parameters up, untrained."""

import torch
from transformers import Qwen2Config, Qwen2ForCausalLM, Qwen2Tokenizer

from trainer_client.config.demo import ShapeConfig

SMALL = ShapeConfig()
"""The small demo's: minutes on two CPU cores."""


def fresh_model(
    tokenizer: Qwen2Tokenizer, seed: int, shape: ShapeConfig = SMALL
) -> Qwen2ForCausalLM:
    """Make a model with random weights, the same ones for the same seed.

    Keys start as a copy of the queries: attention then begins by looking for tokens like its own,
    which is what copying needs, and a warm-up of minutes finds it far sooner.
    """
    config = Qwen2Config(
        vocab_size=len(tokenizer),
        hidden_size=shape.hidden_size,
        intermediate_size=shape.intermediate_size,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        num_key_value_heads=shape.heads,
        max_position_embeddings=shape.positions,
        rope_parameters={"rope_type": "default", "rope_theta": shape.rope_theta},
        initializer_range=shape.initializer_range,
        tie_word_embeddings=True,
        attention_dropout=0.0,
        pad_token_id=tokenizer.pad_token_id,
        eos_token_id=tokenizer.eos_token_id,
        bos_token_id=None,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = Qwen2ForCausalLM(config)  # type: ignore[no-untyped-call]
    with torch.no_grad():
        for layer in model.model.layers:
            attention = layer.self_attn
            attention.k_proj.weight.copy_(attention.q_proj.weight)
            attention.k_proj.bias.copy_(attention.q_proj.bias)
    return model
