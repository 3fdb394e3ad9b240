"""A base model and seed files, made once."""

from pathlib import Path

import pytest

from tests.trainer.training.base import make_base, write_seeds


@pytest.fixture(scope="session")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of a model that answers in the tiny prompt set's form."""
    return make_base(tmp_path_factory.mktemp("base"))


@pytest.fixture(scope="session")
def seeds(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The settings that name seed files in AZR's format."""
    return write_seeds(tmp_path_factory.mktemp("seeds"))
