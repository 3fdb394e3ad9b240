"""Series: averages by hand, thinning, and which curves a panel takes."""

import pytest

from trainer_client.report.examples import MAX_TEXT, visible
from trainer_client.report.panels import PANELS, Panel, curves_of
from trainer_client.report.series import Series, series_of, span_of, window_of


def series(*values: float, name: str = "x") -> Series:
    return Series(name, tuple(range(1, len(values) + 1)), values)


def test_a_moving_average_weighs_by_halves_and_begins_at_the_first_value():
    # span 3: alpha 1/2; weights 1/2, 1/4, 1/8 ... divided by their sum.
    expected = (1, (3 / 2 + 1 / 4) / (3 / 4), (5 / 2 + 3 / 4 + 1 / 8) / (7 / 8))
    assert series(1, 3, 5).smoothed(3).values == pytest.approx(expected)


def test_a_span_of_one_changes_nothing():
    assert series(1, 3, 2).smoothed(1).values == (1, 3, 2)


def test_thinning_takes_means_of_neighbours():
    thin = series(1, 3, 5, 7, 9).thinned(3)
    assert thin.steps == (1.5, 3.5, 5.0)
    assert thin.values == (2.0, 6.0, 9.0)
    assert series(1, 2).thinned(400) == series(1, 2)


def test_first_and_last_are_means_over_the_window():
    assert series(1, 2, 3, 4).first(2) == 1.5
    assert series(1, 2, 3, 4).last(3) == 3.0
    assert [window_of(n) for n in (0, 1, 5, 10, 500)] == [1, 1, 1, 2, 10]
    assert [span_of(n) for n in (0, 30, 300, 5000)] == [1, 1, 10, 25]


def test_values_that_are_missing_leave_gaps():
    rows = [{"step": 1, "a": 1.0}, {"step": 2, "a": None}, {"step": 3, "a": 2, "b": "text"}]
    assert series_of(rows) == {"a": Series("a", (1, 3), (1.0, 2))}


def names(panel: Panel, *found: str) -> list[str]:
    return [
        curve.label for curve in curves_of(panel, {name: series(1, 2, name=name) for name in found})
    ]


def panel(title: str) -> Panel:
    (found,) = [panel for panel in PANELS if panel.title == title]
    return found


def test_a_panel_takes_names_of_its_depth_in_the_usual_order():
    found = ["entropy/solve/deduction", "entropy/solve", "entropy/propose/induction", "entropy/all"]
    assert names(panel("Entropy by task-role"), *found) == ["propose/induction", "solve/deduction"]
    assert names(panel("Entropy by role"), *found) == ["solve", "all"]


def test_totals_are_no_phases():
    found = ["time/propose", "time/step", "time/waiting", "time/waiting_share"]
    assert names(panel("Time by phase"), *found) == ["propose"]


def test_a_task_has_one_colour_everywhere_and_proposers_are_dashed():
    found = {
        n: series(1, 2, name=n) for n in ("length/propose/induction", "length/solve/induction")
    }
    proposer, solver = curves_of(panel("Response length"), found)
    assert proposer.hue == solver.hue == "h2"
    assert (proposer.dashed, solver.dashed) == (True, False)


def test_a_single_value_is_no_curve():
    assert curves_of(panel("Loss"), {"loss/total": series(1, name="loss/total")}) == []


@pytest.mark.parametrize("text", ["plain\n\ttext", "é ≥ 漢"])
def test_ordinary_text_is_shown_as_it_is(text):
    assert visible(text) == text


def test_long_text_is_cut_and_says_so():
    assert visible("x" * (MAX_TEXT + 3)) == "x" * MAX_TEXT + "\n[3 more characters]"
