"""The library as its docstrings show it: every public name has an example, and each is true."""

import doctest
import importlib
import pkgutil

import pytest

import trainer_client.adapters
import trainer_client.verifier
from trainer_client.adapters import options

FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
MODULES = sorted(
    module.name
    for package in (trainer_client.verifier, trainer_client.adapters)
    for module in pkgutil.iter_modules(package.__path__, package.__name__ + ".")
)
CONSTANTS = {"INFRA_ERROR", "REFUSED", "Answer"}
"""Names that hold no docstring of their own."""
FROM_ELSEWHERE = {"VerifierConfig", "VerifierError", "VerifierAway"}
FINDER = doctest.DocTestFinder(exclude_empty=True)
ADAPTERS = ("trl", "verl", "openrlhf", "verifiers_rubric")


def examples(module):
    return [test for test in FINDER.find(module) if test.examples]


@pytest.mark.parametrize(
    "name", [name for name in MODULES if examples(importlib.import_module(name))]
)
def test_the_examples_of_the_docstrings_are_true(name, verifier_url, monkeypatch):
    if name.endswith("openrlhf"):
        pytest.importorskip("torch")
    monkeypatch.setenv("VERIFIER_URL", verifier_url)
    options.grader.cache_clear()
    module = importlib.import_module(name)
    said = []
    runner = doctest.DocTestRunner(optionflags=FLAGS, verbose=False)
    for test in examples(module):
        runner.run(test, out=said.append)
    for keywords in ({}, {"wrong": -0.5}):
        options.grader(**keywords).close()
    options.grader.cache_clear()
    assert runner.summarize(verbose=False).failed == 0, "".join(said)


def test_every_public_name_has_an_example():
    package = trainer_client.verifier
    named = set(package.__all__) - CONSTANTS - FROM_ELSEWHERE
    assert [name for name in sorted(named) if ">>>" not in getattr(package, name).__doc__] == []
    package = trainer_client.adapters
    assert [name for name in package.__all__ if ">>>" not in getattr(package, name).__doc__] == []
    for adapter in ADAPTERS:
        module = importlib.import_module(f"trainer_client.adapters.{adapter}")
        functions = [
            value
            for name, value in vars(module).items()
            if getattr(value, "__module__", "") == module.__name__
            and callable(value)
            and not name.startswith("_")
            and not getattr(value, "_is_protocol", False)
        ]
        assert functions
        assert [value for value in functions if ">>>" not in value.__doc__] == []


def test_what_is_exported_is_there_and_sorted():
    for package in (trainer_client.verifier, trainer_client.adapters):
        assert len(set(package.__all__)) == len(package.__all__)
        assert all(hasattr(package, name) for name in package.__all__)
