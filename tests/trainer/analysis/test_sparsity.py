"""Update sparsity, element by element, against a count that does nothing clever."""

import math

import pytest
import torch

from tests.trainer.analysis.checkpoints import nudged, save, weights
from trainer_client.analysis import weight_files
from trainer_client.analysis.sparsity import Count, measure_sparsity
from trainer_client.analysis.sparsity_figure import sparsity_artifact
from trainer_client.errors import DataError


def brute_force(old: torch.Tensor, new: torch.Tensor) -> Count:
    pairs = zip(old.bfloat16().flatten().tolist(), new.bfloat16().flatten().tolist(), strict=True)
    elements = unchanged = equal = 0
    for a, b in pairs:
        elements += 1
        unchanged += abs(b - a) <= 1e-5
        equal += a == b
    return Count(elements, unchanged, equal)


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    old, new = weights(), nudged(weights())
    # Where values are tiny, bfloat16 is fine enough for changes below the tolerance.
    for name in ("model.norm.weight", "model.layers.1.self_attn.q_proj.bias"):
        old[name] = old[name] * 1e-4
        new[name] = old[name] + torch.where(torch.arange(8) % 2 == 0, 4e-6, 3e-5)
    return save(folder / "base", old), save(folder / "tuned", new, shards=3), old, new


def test_it_equals_a_brute_force_count_of_every_tensor(pair):
    base, tuned, old, new = pair
    found = measure_sparsity(base, tuned)
    assert found.tensors == {name: brute_force(old[name], new[name]) for name in old}
    norm = found.tensors["model.norm.weight"]
    assert (norm.unchanged, norm.equal) == (4, 0)


def test_totals_layers_and_kinds_are_sums_over_tensors(pair):
    base, tuned, old, new = pair
    found = measure_sparsity(base, tuned)
    assert found.total == sum((brute_force(old[name], new[name]) for name in old), Count())
    assert list(found.by_layer()) == ["0", "1", "other"]
    for parts in (found.by_layer(), found.by_kind()):
        assert sum(parts.values(), Count()) == found.total
    assert found.by_kind()["self_attn.q_proj.weight"].elements == 2 * 64
    assert 0 < found.total.exact < found.total.sparsity < 1


def test_how_tensors_are_sliced_makes_no_difference(pair, monkeypatch):
    base, tuned, *_ = pair
    whole = measure_sparsity(base, tuned)
    monkeypatch.setattr(weight_files, "SLICE_ELEMENTS", 17)
    assert measure_sparsity(base, tuned) == whole


def test_the_same_model_is_unchanged_throughout(pair):
    base, *_ = pair
    total = measure_sparsity(base, base).total
    assert total.sparsity == total.exact == 1


def test_a_tied_output_layer_is_counted_once(tmp_path):
    old = weights()
    both = {**old, "lm_head.weight": old["model.embed_tokens.weight"].clone()}
    one, other = save(tmp_path / "one", old), save(tmp_path / "other", both)
    apart = save(tmp_path / "apart", both, tied=False)
    elements = sum(tensor.numel() for tensor in old.values())
    assert measure_sparsity(one, other).total.elements == elements
    assert measure_sparsity(apart, apart).total.elements == elements + 160


def test_a_weight_that_became_nan_is_changed(tmp_path):
    old = weights()
    new = {**old, "model.norm.weight": torch.full((8,), math.nan)}
    found = measure_sparsity(save(tmp_path / "old", old), save(tmp_path / "new", new))
    assert found.tensors["model.norm.weight"] == Count(8, 0, 0)


def test_models_of_other_parameters_or_shapes_are_refused(tmp_path):
    old = weights()
    base = save(tmp_path / "base", old)
    fewer = {name: t for name, t in old.items() if "bias" not in name}
    with pytest.raises(DataError, match=r"different parameters: model\.layers\.0"):
        measure_sparsity(base, save(tmp_path / "fewer", fewer))
    wider = {**old, "model.norm.weight": torch.zeros(9)}
    with pytest.raises(DataError, match=r"model\.norm\.weight is \(8,\)"):
        measure_sparsity(base, save(tmp_path / "wider", wider))
    with pytest.raises(DataError, match="cannot be read"):
        measure_sparsity(base, tmp_path)


def test_the_table_holds_every_scope_and_the_figure_three_panels(pair, tmp_path):
    base, tuned, old, _ = pair
    found = measure_sparsity(base, tuned)
    artifact = sparsity_artifact({"sft": found, "selfplay": found}, "base")
    rows = [row for row in artifact.rows if row[0] == "sft"]
    assert [row[1] for row in rows].count("tensor") == len(old)
    assert rows[0][:4] == ["sft", "all", "all", found.total.elements]
    assert f"{found.total.sparsity:.1%}" in artifact.caption
    png, svg, table, words = artifact.write(tmp_path / "out")
    assert png.read_bytes().startswith(b"\x89PNG")
    assert svg.read_text().count('id="axes_') == 3
    assert table.read_text().startswith("model,scope,name,elements")
    assert "Update sparsity" in words.read_text()
