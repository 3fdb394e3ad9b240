"""The demo's model: Qwen2's architecture at a third of a million parameters, untrained."""

import torch
from transformers import Qwen2Config, Qwen2ForCausalLM, Qwen2Tokenizer


def fresh_model(tokenizer: Qwen2Tokenizer, seed: int) -> Qwen2ForCausalLM:
    """Make a model with random weights, the same ones for the same seed.

    Keys start as a copy of the queries: attention then begins by looking for tokens like its own,
    which is what copying needs, and a warm-up of minutes finds it far sooner.
    """
    config = Qwen2Config(
        vocab_size=len(tokenizer),
        hidden_size=96,
        intermediate_size=256,
        num_hidden_layers=3,
        num_attention_heads=3,
        num_key_value_heads=3,
        max_position_embeddings=512,
        rope_parameters={"rope_type": "default", "rope_theta": 500.0},
        initializer_range=0.08,
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
