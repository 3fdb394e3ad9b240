"""pass@k against exact enumeration, and what intervals and tests say."""

from itertools import combinations

import pytest

from trainer_client.evaluation.passk import bootstrap, compare, pass_at_k


@pytest.mark.parametrize("n", [1, 2, 5, 8])
def test_pass_at_k_is_the_share_of_sets_with_a_right_sample(n):
    for right in range(n + 1):
        samples = [True] * right + [False] * (n - right)
        for k in range(1, n + 1):
            drawn = list(combinations(samples, k))
            assert pass_at_k(n, right, k) == pytest.approx(sum(map(any, drawn)) / len(drawn))


@pytest.mark.parametrize(("n", "right", "k"), [(4, 1, 5), (4, 1, 0), (4, 5, 1), (4, -1, 1)])
def test_what_cannot_be_is_refused(n, right, k):
    with pytest.raises(ValueError, match="pass@"):
        pass_at_k(n, right, k)


def test_an_interval_holds_the_mean_and_shrinks_to_it_where_all_are_the_same():
    found = bootstrap([0.0, 1.0] * 20, 0)
    assert found.low < found.mean == 50.0 < found.high
    same = bootstrap([1.0] * 9, 0)
    assert same.low == same.mean == same.high == 100.0
    assert bootstrap([0.0, 1.0] * 20, 0) == found


def test_a_difference_on_every_problem_is_significant_and_none_is_not():
    better = compare([0.0] * 20, [1.0] * 20, 0)
    assert better.difference.mean == 100.0
    assert better.p < 0.01
    none = compare([0.0, 1.0] * 10, [1.0, 0.0] * 10, 0)
    assert none.difference.mean == 0.0
    assert none.p == 1.0
    few = compare([0.0], [1.0], 0)
    assert few.p == 1.0
