"""Merged metrics are those of the whole, never a mean of means."""

import pytest

from trainer_client.algorithms.aggregate import Aggregate


def test_parts_of_unequal_size_merge_exactly():
    whole = Aggregate()
    whole.merge(Aggregate({"a": (3.0, 1)}, {"m": -2.0}, {"w": (3.0, 9.0, 1)}))
    whole.merge(Aggregate({"a": (3.0, 3), "b": (0.0, 0)}, {"m": -5.0}, {"w": (2.0, 2.0, 2)}))
    # a: 6 / 4; m: the larger; w: weights 3, 1, 1: 25 / (3 * 11). b was never observed.
    assert whole.values() == pytest.approx({"a": 1.5, "m": -2.0, "w": 25 / 33})


def test_merging_leaves_the_part_as_it_was():
    part = Aggregate({"a": (1.0, 1)})
    whole = Aggregate()
    whole.merge(part)
    whole.merge(part)
    assert part.means == {"a": (1.0, 1)}
    assert whole.means == {"a": (2.0, 2)}


def test_nothing_observed_gives_no_metrics():
    assert Aggregate().values() == {}
