"""A real verifier behind HTTP and a small base model, made once for the tests that ask for them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from executor_service.local_server import local_server
from executor_service.settings import Settings
from trainer_client.config.run import VerifierConfig
from trainer_client.verifier.session import Verifier


@pytest.fixture(scope="session")
def verifier_url() -> Iterator[str]:
    """The URL of a service with two sandboxes."""
    with local_server(Settings(slots=2)) as url:
        yield url


@pytest.fixture(scope="session")
def verifier(verifier_url: str) -> Iterator[Verifier]:
    """A session with that service."""
    with Verifier(VerifierConfig(url=verifier_url)) as session:
        yield session


@pytest.fixture(scope="session")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of a model that answers in the tiny prompt set's form."""
    from tests.trainer.training.base import make_base

    return make_base(tmp_path_factory.mktemp("base"))


@pytest.fixture(scope="session")
def seeds(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The settings that name seed files in AZR's format."""
    from tests.trainer.training.base import write_seeds

    return write_seeds(tmp_path_factory.mktemp("seeds"))
