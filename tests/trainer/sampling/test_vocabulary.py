"""What is read from a tokenizer."""

import pytest
import torch
from tokenizers import Tokenizer, models
from transformers import PreTrainedTokenizerFast

from trainer_client.sampling.vocabulary import Vocabulary


def a_tokenizer(**special) -> PreTrainedTokenizerFast:
    words = {"<pad>": 0, "<end>": 1, "a": 2, "b": 3}
    base = Tokenizer(models.WordLevel(words, unk_token="a"))
    return PreTrainedTokenizerFast(tokenizer_object=base, **special)


def test_rows_beyond_the_tokenizer_are_suppressed():
    found = Vocabulary.of(a_tokenizer(eos_token="<end>", pad_token="<pad>"), size=8)
    assert found == Vocabulary(8, end_ids=(1,), pad_id=0, suppressed=(4, 5, 6, 7))
    assert found.kept == 4
    assert found.scattered(torch.device("cpu")) is None


def test_further_end_tokens_come_after_the_tokenizers_own_and_once():
    found = Vocabulary.of(a_tokenizer(eos_token="<end>"), size=4, end_ids=(3, 1))
    assert found.end_ids == (1, 3)
    assert found.pad_id == 1


def test_a_tokenizer_without_an_end_token_is_refused():
    with pytest.raises(ValueError, match="no end token"):
        Vocabulary.of(a_tokenizer(), size=4)


def test_a_tokenizer_larger_than_the_model_is_refused():
    with pytest.raises(ValueError, match="3 rows"):
        Vocabulary.of(a_tokenizer(eos_token="<end>"), size=3)


def test_suppressed_ids_in_the_midst_are_masked_one_by_one():
    found = Vocabulary(10, end_ids=(1,), pad_id=0, suppressed=(3, 8, 9))
    assert found.kept == 8
    assert found.scattered(torch.device("cpu")).tolist() == [3]
