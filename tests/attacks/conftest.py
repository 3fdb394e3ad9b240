"""Every attack is followed by control runs, and by a look at what it left behind."""

from collections.abc import Iterator

import pytest

from attacks.arena import check_unharmed
from contract.live import LiveService


@pytest.fixture(autouse=True)
def unharmed(request: pytest.FixtureRequest) -> Iterator[None]:
    """After a test that used the shared service, check that it is as it was."""
    yield
    if "service" in request.fixturenames:
        live: LiveService = request.getfixturevalue("service")
        check_unharmed(live)
