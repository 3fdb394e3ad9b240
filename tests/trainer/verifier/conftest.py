"""A real verifier on a loopback port, shared by the tests of this package."""

from collections.abc import Iterator

import pytest

from executor_service.local_server import local_server
from executor_service.settings import Settings


@pytest.fixture(scope="package")
def url() -> Iterator[str]:
    with local_server(Settings(slots=2)) as url:
        yield url
