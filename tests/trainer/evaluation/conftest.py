"""A real verifier on a loopback port, and the small files."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from executor_service.local_server import local_server
from executor_service.settings import Settings
from tests.trainer.evaluation.published import write


@pytest.fixture(scope="package")
def url() -> Iterator[str]:
    with local_server(Settings(slots=2)) as url:
        yield url


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return write(tmp_path / "data")
