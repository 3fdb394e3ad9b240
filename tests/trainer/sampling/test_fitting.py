"""Checking a policy's parameters as they come by."""

from contextlib import closing

import pytest
import torch

from trainer_client.errors import ConfigError
from trainer_client.sampling.fitting import fitting

SHAPES = {"a": torch.Size([2]), "b": torch.Size([3]), "c": torch.Size([4])}


def tensors(seen: list[str], **changes):
    for name, shape in ({name: tuple(shape) for name, shape in SHAPES.items()} | changes).items():
        seen.append(name)
        if shape is not None:
            yield name, torch.zeros(shape)


def test_parameters_that_fit_are_passed_on_in_order():
    assert [name for name, _ in fitting(tensors([]), SHAPES)] == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"b": (7,)}, r"parameter 'b' is \(7,\) in the policy and \(3,\) in the sampler"),
        ({"d": (1,)}, "no parameter 'd'"),
        ({"b": None}, r"lack 1: \['b'\]"),
    ],
)
def test_what_does_not_fit_is_named(changes, message):
    with pytest.raises(ConfigError, match=message):
        list(fitting(tensors([], **changes), SHAPES))


def test_all_parameters_are_gathered_even_when_one_does_not_fit():
    seen: list[str] = []
    with pytest.raises(ConfigError):
        list(fitting(tensors(seen, a=(9,)), SHAPES))
    assert seen == ["a", "b", "c"]


def test_all_parameters_are_gathered_even_when_their_consumer_fails():
    seen: list[str] = []
    with pytest.raises(ZeroDivisionError), closing(fitting(tensors(seen), SHAPES)) as fits:
        for _ in fits:
            raise ZeroDivisionError
    assert seen == ["a", "b", "c"]
