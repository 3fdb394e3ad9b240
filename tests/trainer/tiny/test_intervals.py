"""Bootstrap intervals against cases that can be worked out by hand."""

import pytest

from trainer_client.tiny.intervals import bootstrap, paired_difference


def test_the_mean_is_in_percent_and_a_constant_has_no_width():
    estimate = bootstrap([0.25] * 10, seed=0)
    assert (estimate.mean, estimate.low, estimate.high) == (25.0, 25.0, 25.0)


def test_the_interval_of_a_coin_is_near_the_normal_one():
    # 300 tosses: 50 % with a standard error of 2.89 points, so 1.96 errors are 5.66 points.
    estimate = bootstrap([0.0, 1.0] * 150, seed=0)
    assert estimate.mean == 50.0
    assert estimate.low == pytest.approx(50 - 5.66, abs=0.7)
    assert estimate.high == pytest.approx(50 + 5.66, abs=0.7)


def test_the_same_seed_gives_the_same_interval():
    shares = [place / 97 for place in range(97)]
    assert bootstrap(shares, seed=3) == bootstrap(shares, seed=3)
    assert bootstrap(shares, seed=3) != bootstrap(shares, seed=4)


def test_a_difference_is_taken_problem_by_problem_where_both_have_a_verdict():
    before = [0.0, 1.0, 0.5, None]
    after = [0.25, 1.0, None, 1.0]
    assert paired_difference(before, after, seed=0).mean == 12.5


def test_an_even_gain_over_uneven_problems_has_no_width():
    before = [0.0, 0.5, 0.25]
    gain = paired_difference(before, [share + 0.25 for share in before], seed=0)
    assert (gain.low, gain.high) == (25.0, 25.0)


def test_nothing_to_average_is_an_error():
    with pytest.raises(ValueError, match="no problem"):
        bootstrap([], seed=0)
