"""Every test of ``kind`` runs with jobs in memory and with jobs in a real Redis."""

import pytest

from jobs.world import Kind


@pytest.fixture(params=["memory", pytest.param("redis", marks=pytest.mark.redis)])
def kind(request: pytest.FixtureRequest) -> Kind:
    if request.param == "memory":
        return Kind(None)
    return Kind(request.getfixturevalue("redis_server").url)
