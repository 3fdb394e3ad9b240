"""The typed world's values: their literals are Python's own, and nothing can slip out of them."""

from random import Random

import pytest

from trainer_client.tiny.worlds.values import MAX_ITEMS, Kind, draw_value, is_small, literal

ODD = [
    *(0, -7, True, False, "", "aB9", "-", [], [5], (), (3,), (-1, 2), {}, {"a": -1}, [""]),
    *({"b": 2, "a": 1}, ["a", "bc"], (1, 2, 3)),
]


@pytest.mark.parametrize("kind", Kind)
def test_a_drawn_value_is_written_as_repr_writes_it(kind):
    rng = Random(0)
    for value in [draw_value(rng, kind) for _ in range(200)]:
        assert literal(value) == repr(value)
        assert is_small(value)


@pytest.mark.parametrize("value", ODD, ids=repr)
def test_empty_single_and_negative_ones_are_written_as_repr_writes_them(value):
    assert literal(value) == repr(value)


@pytest.mark.parametrize("text", ["a'b", "\\", 'a"', "a\n", "é", "²", "<i>"])
def test_a_text_that_could_end_its_literal_is_refused(text):
    for value in (text, [text], {text: 1}):
        with pytest.raises(ValueError, match="not a text"):
            literal(value)


def test_a_value_of_no_kind_is_refused():
    with pytest.raises(ValueError, match="not a value"):
        literal(1.5)


def test_large_numbers_texts_and_containers_are_not_small():
    for value in (1000, -1000, "a" * 13, [1000], [1] * (MAX_ITEMS + 1), {"a": 1000}, ("a" * 13,)):
        assert not is_small(value)
