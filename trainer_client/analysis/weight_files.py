"""`WeightFiles`: the parameters of a model on disk, read a slice at a time from safetensors."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self

from safetensors import SafetensorError, safe_open
from torch import Tensor

from trainer_client.errors import DataError

SINGLE = "model.safetensors"
INDEX = "model.safetensors.index.json"
SLICE_ELEMENTS = 1 << 24
"""Elements held in memory at once, of each model."""
OUTPUT = "lm_head.weight"
"""The parameter that tied embeddings make a second name of the first embedding's."""
BUFFERS = (".rotary_emb.inv_freq", ".masked_bias", ".attn.bias")
"""Endings of what old checkpoints hold besides parameters."""


class WeightFiles:
    """A model's parameters by name, tied ones once; open while the context lasts."""

    def __init__(self, folder: Path) -> None:
        """Name a directory in Hugging Face layout."""
        self.folder = folder
        self._stack = ExitStack()
        self._files: dict[str, Any] = {}

    def __enter__(self) -> Self:
        """Open the files.

        Raises:
            DataError: there are none, or one is damaged.
        """
        try:
            for file in self._paths():
                opened: Any = self._stack.enter_context(safe_open(str(file), framework="pt"))
                self._files |= dict.fromkeys(opened.keys(), opened)
        except (OSError, SafetensorError) as error:
            self._stack.close()
            raise DataError(f"{self.folder}: the weights cannot be read: {error}") from error
        tied = self._tied()
        for name in list(self._files):
            if name.endswith(BUFFERS) or (tied and name == OUTPUT):
                del self._files[name]
        return self

    def __exit__(self, *_: object) -> None:
        """Close the files."""
        self._stack.close()

    @property
    def names(self) -> list[str]:
        """The parameters, sorted."""
        return sorted(self._files)

    def shape(self, name: str) -> tuple[int, ...]:
        """Return a parameter's shape."""
        return tuple(self._files[name].get_slice(name).get_shape())

    def slices(self, name: str) -> Iterator[Tensor]:
        """Yield a parameter in parts along its first dimension, of `SLICE_ELEMENTS` or one row."""
        shape = self.shape(name)
        if not shape:
            yield self._files[name].get_tensor(name)
            return
        row = 1
        for size in shape[1:]:
            row *= size
        count = max(1, SLICE_ELEMENTS // max(row, 1))
        whole = self._files[name].get_slice(name)
        for begin in range(0, shape[0], count):
            yield whole[begin : begin + count]

    def _paths(self) -> list[Path]:
        index = self.folder / INDEX
        if index.exists():
            return sorted({self.folder / file for file in self._json(index)["weight_map"].values()})
        return [self.folder / SINGLE]

    def _tied(self) -> bool:
        """Whether the output layer is the embedding.

        Where the configuration leaves it unsaid there is nothing to drop: transformers writes tied
        tensors once.
        """
        said = self._json(self.folder / "config.json")
        text = said.get("text_config", said)
        return bool(said.get("tie_word_embeddings", text.get("tie_word_embeddings", False)))

    def _json(self, path: Path) -> dict[str, Any]:
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise DataError(f"{path} cannot be read: {error}") from error
        if not isinstance(found, dict):
            raise DataError(f"{path} is not an object")
        return found
