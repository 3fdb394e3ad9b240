"""pass@k curves and the shared support of two models, from files of samples."""

from itertools import combinations

import pytest

from trainer_client.analysis.answering import Answer
from trainer_client.analysis.outcomes import (
    Outcomes,
    models_results,
    powers_of_two,
    read_outcomes,
)
from trainer_client.analysis.pass_curves import gain, pass_artifact
from trainer_client.analysis.support import measure_support, support_artifact
from trainer_client.errors import DataError
from trainer_client.evaluation.results import BenchmarkResult, ProblemCounts, Results

BASE = Outcomes({"a": (4, 4), "b": (4, 1), "c": (4, 1), "d": (4, 0), "e": (4, 0)})
TUNED = Outcomes({"a": (4, 4), "b": (4, 4), "c": (4, 0), "d": (4, 2), "e": (4, 0)})


def enumerated(n: int, c: int, k: int) -> float:
    """The share of all sets of k samples that hold a right one."""
    drawn = list(combinations([True] * c + [False] * (n - c), k))
    return sum(map(any, drawn)) / len(drawn)


def answers(outcomes: Outcomes, masked: int = 0) -> list[Answer]:
    """Answers to problems 0, 1, 2 ..., some of them further ones without a verdict."""
    found = [
        Answer(place, i, 5, "", "correct" if i < c else "wrong")
        for place, (n, c) in enumerate(outcomes.counts.values())
        for i in range(n)
    ]
    return found + [Answer(0, 100 + i, 5, "", "infra_error") for i in range(masked)]


def test_pass_at_k_is_the_mean_over_all_sets_of_k_samples():
    for k in (1, 2, 3, 4):
        expected = [enumerated(n, c, k) for n, c in BASE.counts.values()]
        assert BASE.pass_at(k) == pytest.approx(expected)


def test_ks_double_up_to_the_largest():
    assert powers_of_two(1) == [1]
    assert powers_of_two(8) == [1, 2, 4, 8]
    assert powers_of_two(10) == [1, 2, 4, 8, 10]


def test_samples_are_read_back_and_those_without_a_verdict_do_not_count(tmp_path):
    results = models_results("m", {"n": 4}, {"deduction": answers(BASE, masked=3)})
    results.write(tmp_path / "results.json")
    found = read_outcomes(tmp_path)["deduction"]
    assert list(found.counts.values()) == list(BASE.counts.values())
    assert results.benchmarks["deduction"].unjudged == 3


def test_the_last_of_several_checks_counts(tmp_path):
    counts = {"p": ProblemCounts(4, {"base": 3, "plus": 1})}
    Results("m", {}, (1,), {"mbpp+": BenchmarkResult(("base", "plus"), False, counts)}).write(
        tmp_path / "results.json"
    )
    assert read_outcomes(tmp_path) == {"mbpp+": Outcomes({"p": (4, 1)})}


def test_an_evaluation_without_a_verdict_is_refused(tmp_path):
    nothing = Outcomes({"a": (0, 0)})
    models_results("m", {}, {"x": answers(nothing, masked=2)}).write(tmp_path / "results.json")
    with pytest.raises(DataError, match="x: no sample has a verdict"):
        read_outcomes(tmp_path)
    models_results("m", {}, {}).write(tmp_path / "results.json")
    with pytest.raises(DataError, match="no benchmark"):
        read_outcomes(tmp_path)


def test_support_counts_who_solves_what():
    found = measure_support(BASE, TUNED)
    assert (found.problems, found.both, found.base_only, found.tuned_only) == (5, 2, 1, 1)
    # The tuned model solves a, b and d; with 4 samples the base solves a and b of them.
    assert found.base_on_tuned.problems == 3
    assert found.base_on_tuned.shares[4].value == pytest.approx(2 / 3)
    assert found.base_on_tuned.shares[1].value == pytest.approx((1 + 1 / 4 + 0) / 3)
    # The base solves a, b and c; the tuned model does not find c.
    assert found.tuned_on_base.shares[4].value == pytest.approx(2 / 3)


def test_a_model_that_solves_nothing_has_an_empty_side():
    nothing = Outcomes(dict.fromkeys(BASE.counts, (4, 0)))
    found = measure_support(BASE, nothing)
    assert found.base_on_tuned.at_most is None
    assert found.tuned_on_base.shares[4].value == 0
    artifact = support_artifact({"x": BASE}, {"x": nothing}, ("base", "tuned"))
    assert {row[1] for row in artifact.rows} == {"base"}


def test_models_without_a_common_problem_are_refused():
    with pytest.raises(DataError, match="no problem in common"):
        measure_support(BASE, Outcomes({"z": (4, 1)}))
    with pytest.raises(DataError, match="no benchmark in common"):
        support_artifact({"x": BASE}, {"y": TUNED}, ("base", "tuned"))


def test_the_gain_is_paired_over_the_problems_that_both_have():
    more = Outcomes({**TUNED.counts, "f": (4, 4)})
    found = gain(BASE, more)
    assert found.problems == 5
    assert found.first.value == pytest.approx((0 + 3 / 4 - 1 / 4 + 2 / 4 + 0) / 5)
    assert found.last[0] == 4
    assert found.last[1].value == 0


def test_curves_rise_with_k_and_stand_in_the_table(tmp_path):
    artifact = pass_artifact({"base": {"x": BASE}, "tuned": {"x": TUNED}})
    base = [row for row in artifact.rows if row[1] == "base"]
    assert [row[3] for row in base] == [1, 2, 4]
    values = [row[4] for row in base]
    assert values == sorted(values)
    assert values[-1] == pytest.approx(3 / 5)
    assert "x, tuned over base: +0.200" in artifact.caption
    assert artifact.write(tmp_path)[0].exists()
