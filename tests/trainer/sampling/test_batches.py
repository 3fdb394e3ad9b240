"""Dividing prompts into sub-batches by the token budget."""

import pytest

from trainer_client.sampling.batches import sub_batches


def test_every_row_stands_in_one_sub_batch_with_its_own_prompt():
    prompts = [(1, 2, 3), (4,), (5, 6), (4,), (1, 2, 3), (7,)]
    for budget in (1, 10, 24, 1000):
        batches = sub_batches(prompts, max_tokens=4, budget=budget)
        rows = [row for batch in batches for row in batch.rows]
        assert sorted(rows) == list(range(len(prompts)))
        for batch in batches:
            own = [batch.prompts[source] for source in batch.sources]
            assert own == [prompts[row] for row in batch.rows]


def test_no_sub_batch_of_several_rows_exceeds_the_budget():
    prompts = [(1,) * length for length in range(1, 30)]
    for batch in sub_batches(prompts, max_tokens=5, budget=60):
        size = len(batch.rows) * (max(map(len, batch.prompts)) + 5)
        assert size <= 60 or len(batch.rows) == 1


def test_a_row_longer_than_the_budget_goes_alone():
    batches = sub_batches([(1,) * 100, (1,), (2,)], max_tokens=5, budget=20)
    assert [batch.rows for batch in batches] == [(0,), (1, 2)]


def test_an_equal_prompt_is_read_once():
    (batch,) = sub_batches([(1, 2)] * 8 + [(3,)], max_tokens=4, budget=1000)
    assert batch.prompts == ((1, 2), (3,))
    assert batch.sources == (0,) * 8 + (1,)


def test_an_empty_prompt_is_refused():
    with pytest.raises(ValueError, match="empty prompt"):
        sub_batches([(1,), ()], max_tokens=4, budget=100)
