"""Sparsity of one or several updates of the same base: whole, by layer and by kind of matrix."""

from collections.abc import Mapping
from typing import Final

from matplotlib.axes import Axes

from trainer_client.analysis.artifact import Artifact, Cell
from trainer_client.analysis.sparsity import TOLERANCE, Count, Sparsity
from trainer_client.analysis.style import COLOURS, MARKERS, legend, panels, shares_beside

COLUMNS: Final = ("model", "scope", "name", "elements", "unchanged", "sparsity", "equal", "exact")
_SHORT: Final = {
    "self_attn": "attn",
    "input_layernorm": "norm 1",
    "post_attention_layernorm": "norm 2",
    "embed_tokens": "embedding",
}


def sparsity_artifact(found: Mapping[str, Sparsity], base: str) -> Artifact:
    """Return bars by model, and curves by layer and kind.

    Args:
        found: the sparsity of each update, by what it is called.
        base: what the base model is called.
    """
    figure, (bars, layers, kinds) = panels(3)
    _draw_totals(bars, {name: one.total for name, one in found.items()})
    for rank, (name, one) in enumerate(found.items()):
        inner = {layer: c for layer, c in one.by_layer().items() if layer != "other"}
        _draw_counts(layers, name, rank, inner, "solid")
        matrices = {kind: c for kind, c in one.by_kind().items() if kind.endswith(".weight")}
        _draw_counts(kinds, name, rank, {_short(k): c for k, c in matrices.items()}, "none")
    layers.set_xlabel("layer")
    layers.set_title("by layer")
    kinds.set_title("by kind of matrix")
    kinds.tick_params(axis="x", rotation=60, labelsize=7)
    for axes in (bars, layers, kinds):
        axes.set_ylim(0, 1.02)
        shares_beside(axes)
    bars.set_ylabel("unchanged weights")
    legend(layers)
    totals = "; ".join(
        f"{name} {one.total.sparsity:.1%} ({one.total.exact:.1%} equal to the last bit)"
        for name, one in found.items()
    )
    return Artifact(
        name="sparsity",
        title="Update sparsity",
        caption=(
            f"Share of weights whose bfloat16 values differ from {base}'s by at most "
            f"{TOLERANCE:g}, element by element, tied weights once. {totals}."
        ),
        columns=COLUMNS,
        rows=[row for name, one in found.items() for row in _rows(name, one)],
        figure=figure,
    )


def _draw_totals(axes: Axes, totals: Mapping[str, Count]) -> None:
    """Draw two bars for each model: within the tolerance, and equal."""
    places = range(len(totals))
    near = [count.sparsity for count in totals.values()]
    exact = [count.exact for count in totals.values()]
    axes.bar([p - 0.2 for p in places], near, 0.38, color=COLOURS[0], label=f"within {TOLERANCE:g}")
    axes.bar(
        [p + 0.2 for p in places], exact, 0.38, color="white", edgecolor=COLOURS[0], hatch="////",
        label="equal",
    )  # fmt: skip
    for place, value in zip(places, near, strict=True):
        axes.text(place - 0.2, value + 0.015, f"{100 * value:.1f}", ha="center", fontsize=8)
    axes.set_xticks(list(places), list(totals))
    axes.set_xlim(-0.75, len(totals) - 0.25)
    axes.set_title("whole model, %")
    legend(axes)


def _draw_counts(
    axes: Axes, label: str, rank: int, counts: Mapping[str, Count], joined: str
) -> None:
    axes.plot(
        list(counts),
        [count.sparsity for count in counts.values()],
        color=COLOURS[rank % len(COLOURS)],
        marker=MARKERS[rank % len(MARKERS)],
        linestyle=joined,
        label=label,
    )


def _short(kind: str) -> str:
    """Return a kind's name as it fits below an axis."""
    name = kind.removesuffix(".weight").replace("_proj", "")
    for long, short in _SHORT.items():
        name = name.replace(long, short)
    return name


def _rows(name: str, one: Sparsity) -> list[list[Cell]]:
    scopes = {
        "all": {"all": one.total},
        "layer": one.by_layer(),
        "kind": one.by_kind(),
        "tensor": one.tensors,
    }
    return [
        [name, scope, what, c.elements, c.unchanged, c.sparsity, c.equal, c.exact]
        for scope, counts in scopes.items()
        for what, c in counts.items()
    ]
