"""A real verifier and the demo's configuration, shared by the tests of this package."""

from collections.abc import Iterator

import pytest

from executor_service.local_server import local_server
from executor_service.settings import Settings
from trainer_client.config import RunConfig
from trainer_client.config.loading import load


@pytest.fixture(scope="package")
def url() -> Iterator[str]:
    with local_server(Settings(slots=2)) as url:
        yield url


@pytest.fixture
def config() -> RunConfig:
    return load("tiny-demo", environ={})
