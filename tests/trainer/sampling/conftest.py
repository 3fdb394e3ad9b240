"""Ends the vLLM engine that tests share."""

from collections.abc import Iterator

import pytest

from tests.trainer.sampling.vllm_engines import close_shared


@pytest.fixture(scope="package", autouse=True)
def _shared_engine_ends() -> Iterator[None]:
    yield
    close_shared()
