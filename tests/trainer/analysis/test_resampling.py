"""Intervals from resampling: means, paired differences, trends."""

import numpy as np
import pytest

from trainer_client.analysis import resampling
from trainer_client.analysis.resampling import difference, mean, trend

VALUES = [float(x) for x in np.random.default_rng(0).normal(2.0, 1.0, 400)]


def test_the_interval_of_a_mean_is_two_standard_errors_either_side():
    found = mean(VALUES)
    error = np.std(VALUES) / np.sqrt(len(VALUES))
    assert found.value == pytest.approx(np.mean(VALUES))
    assert found.low == pytest.approx(found.value - 1.96 * error, abs=0.3 * error)
    assert found.high == pytest.approx(found.value + 1.96 * error, abs=0.3 * error)
    assert mean(VALUES) == found
    assert mean(VALUES, seed=1) != found


def test_blocks_make_no_difference_to_what_is_measured(monkeypatch):
    whole = mean(VALUES)
    monkeypatch.setattr(resampling, "_BLOCK", 1000)
    parts = mean(VALUES)
    assert parts.value == whole.value
    assert (parts.low, parts.high) == pytest.approx((whole.low, whole.high), abs=0.03)


def test_a_pairs_difference_leaves_out_what_pairs_share():
    after = [value + 0.1 for value in VALUES]
    found = difference(VALUES, after)
    assert (found.low, found.value, found.high) == pytest.approx((0.1, 0.1, 0.1))
    assert (found.sign, difference(after, VALUES).sign, difference(VALUES, VALUES).sign) == (
        1,
        -1,
        0,
    )


def test_a_trend_is_the_least_squares_slope():
    places = [float(i % 5) for i in range(len(VALUES))]
    values = [0.5 * place + value for place, value in zip(places, VALUES, strict=True)]
    found = trend(places, values)
    assert found.value == pytest.approx(np.polyfit(places, values, 1)[0])
    assert 0 < found.low < found.value < found.high
    assert trend([1.0, 2.0], [3.0, 5.0]).value == pytest.approx(2.0)
    with pytest.raises(ValueError, match="two different places"):
        trend([1.0, 1.0], [2.0, 3.0])
