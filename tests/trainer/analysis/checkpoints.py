"""Handmade checkpoints in Hugging Face layout."""

import json
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor


def weights(seed: int = 0) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    shapes = {
        "model.embed_tokens.weight": (20, 8),
        "model.norm.weight": (8,),
        **{
            f"model.layers.{layer}.{kind}": shape
            for layer in range(2)
            for kind, shape in {
                "self_attn.q_proj.weight": (8, 8),
                "self_attn.q_proj.bias": (8,),
                "mlp.up_proj.weight": (12, 8),
            }.items()
        },
    }
    return {name: 0.1 * torch.randn(shape, generator=generator) for name, shape in shapes.items()}


def nudged(old: dict[str, Tensor], seed: int = 1) -> dict[str, Tensor]:
    """Change a third of the elements not at all, a third by next to nothing, a third by more."""
    generator = torch.Generator().manual_seed(seed)
    found = {}
    for name, tensor in old.items():
        kind = torch.randint(3, tensor.shape, generator=generator)
        noise = torch.randn(tensor.shape, generator=generator)
        found[name] = (
            tensor + torch.where(kind == 0, 0.0, torch.where(kind == 1, 3e-6, 2e-3)) * noise
        )
    return found


def save(folder: Path, tensors: dict[str, Tensor], *, tied: bool = True, shards: int = 1) -> Path:
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps({"tie_word_embeddings": tied}))
    if shards == 1:
        save_file(tensors, folder / "model.safetensors")
        return folder
    names = sorted(tensors)
    index = {}
    for shard in range(shards):
        file = f"model-{shard + 1:05d}-of-{shards:05d}.safetensors"
        mine = names[shard::shards]
        save_file({name: tensors[name] for name in mine}, folder / file)
        index |= dict.fromkeys(mine, file)
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": index}))
    return folder
