"""The service that the pages' examples are tried on."""

from collections.abc import Iterator

import httpx
import pytest

from executor_service.local_server import local_server
from executor_service.settings import Settings


@pytest.fixture(scope="session")
def live() -> Iterator[httpx.Client]:
    """A client of a service with the usual settings and two slots."""
    with local_server(Settings(slots=2)) as url, httpx.Client(base_url=url, timeout=60) as client:
        yield client
