"""Running stacks: one for all tests that leave it as they found it, and others."""

import contextlib
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import docker
import pytest

from e2e.compose import ComposeStack, stack_trouble
from runner_image import need_docker

RunningStack = Callable[[int], AbstractContextManager[ComposeStack]]


@pytest.fixture(scope="session")
def running_stack(tmp_path_factory: pytest.TempPathFactory) -> RunningStack:
    """A way to have a stack with so many workers of two slots each for a while."""
    need_docker()
    client = docker.from_env()
    reason = stack_trouble(client)
    client.close()
    if reason and os.environ.get("AZR_TEST_DOCKER") == "1":
        pytest.fail(reason, pytrace=False)
    if reason:
        pytest.skip(reason)
    return lambda workers: started(tmp_path_factory.mktemp("stack"), workers)


@pytest.fixture(scope="session")
def stack(running_stack: RunningStack) -> Iterator[ComposeStack]:
    """A stack that the tests of this package share; they begin with ``up`` where it matters."""
    with running_stack(2) as stack:
        yield stack


@contextlib.contextmanager
def started(folder: Path, workers: int) -> Iterator[ComposeStack]:
    """Start a stack; take it down in the end."""
    client = docker.from_env()
    stack = ComposeStack(client, folder)
    try:
        stack.start(workers)
        yield stack
    finally:
        stack.http.close()
        stack.down()
        client.close()
