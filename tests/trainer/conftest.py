"""A real verifier behind HTTP, shared by all tests of the trainer that ask for it."""

from collections.abc import Iterator

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
