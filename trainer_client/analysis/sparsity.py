"""Update sparsity: the share of a model's weights that training left as they were.

The self-play paper's section 6 after arXiv 2505.11711: both models in bfloat16, an element counts
as unchanged when |new - old| <= 1e-5; exact zeros of the difference are counted beside. Elements
are counted, never whole tensors; the models are read side by side, a slice at a time.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import torch

from trainer_client.analysis.weight_files import WeightFiles
from trainer_client.errors import DataError

TOLERANCE: Final = 1e-5
"""Largest difference that counts as none."""
_LAYER: Final = re.compile(r"\.(\d+)\.")


@dataclass(frozen=True)
class Count:
    """Elements of one or several tensors, the unchanged ones, and those equal to the last bit."""

    elements: int = 0
    unchanged: int = 0
    equal: int = 0

    def __add__(self, other: "Count") -> "Count":
        """Put two counts together."""
        return Count(
            self.elements + other.elements,
            self.unchanged + other.unchanged,
            self.equal + other.equal,
        )

    @property
    def sparsity(self) -> float:
        """The share of unchanged elements."""
        return self.unchanged / self.elements

    @property
    def exact(self) -> float:
        """The share of elements that are equal in bfloat16."""
        return self.equal / self.elements


@dataclass(frozen=True)
class Sparsity:
    """How much of a model an update left alone.

    Attributes:
        tensors: the counts of each parameter, by name.
    """

    tensors: Mapping[str, Count]

    @property
    def total(self) -> Count:
        """All parameters together."""
        return sum(self.tensors.values(), Count())

    def by_layer(self) -> dict[str, Count]:
        """Return the counts of each layer by its number, and of what is in none as ``other``."""
        found: dict[str, Count] = {}
        for name, count in self.tensors.items():
            layer = layer_of(name)
            key = "other" if layer is None else str(layer)
            found[key] = found.get(key, Count()) + count
        return dict(sorted(found.items(), key=lambda item: (item[0] == "other", _place(item[0]))))

    def by_kind(self) -> dict[str, Count]:
        """Return the counts of each kind of parameter, over all layers."""
        found: dict[str, Count] = {}
        for name, count in self.tensors.items():
            kind = kind_of(name)
            found[kind] = found.get(kind, Count()) + count
        return found


def measure_sparsity(base: Path, tuned: Path) -> Sparsity:
    """Compare two models on disk.

    Raises:
        DataError: one cannot be read, or their parameters are not the same ones.
    """
    with WeightFiles(base) as old, WeightFiles(tuned) as new:
        _require_same(old, new)
        return Sparsity({name: _count(old, new, name) for name in old.names})


def layer_of(name: str) -> int | None:
    """Return the number of the layer that a parameter is in."""
    found = _LAYER.search(name)
    return int(found[1]) if found else None


def kind_of(name: str) -> str:
    """Return what a parameter is, the same in all layers: ``self_attn.q_proj.weight``."""
    found = _LAYER.search(name)
    return name[found.end() :] if found else name.removeprefix("model.")


def _place(layer: str) -> int:
    return int(layer) if layer.isdigit() else 0


def _count(old: WeightFiles, new: WeightFiles, name: str) -> Count:
    total = Count()
    for before, after in _pairs(old, new, name):
        # The difference of two bfloat16 numbers is taken in fp32, which does not round it away.
        change = (after.bfloat16().float() - before.bfloat16().float()).abs()
        total += Count(change.numel(), int((change <= TOLERANCE).sum()), int((change == 0).sum()))
    return total


def _pairs(
    old: WeightFiles, new: WeightFiles, name: str
) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    yield from zip(old.slices(name), new.slices(name), strict=True)


def _require_same(old: WeightFiles, new: WeightFiles) -> None:
    names, others = set(old.names), set(new.names)
    if names != others:
        odd = sorted(names ^ others)
        raise DataError(
            f"{old.folder} and {new.folder} have different parameters: {', '.join(odd[:5])}"
            + (f" and {len(odd) - 5} more" if len(odd) > 5 else "")
        )
    for name in old.names:
        if old.shape(name) != new.shape(name):
            raise DataError(
                f"{name} is {old.shape(name)} in {old.folder} and {new.shape(name)} in {new.folder}"
            )
