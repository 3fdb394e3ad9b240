"""The Docker daemon and the runner image that tests need, or the reason why they are skipped."""

import os

import docker
import docker.errors
import pytest

IMAGE = os.environ.get("AZR_RUNNER_IMAGE", "azr-runner:dev")


def need_docker() -> None:
    """Skip the test, or fail it where Docker is required, unless the image can be started."""
    reason = docker_trouble()
    if reason is not None and os.environ.get("AZR_TEST_DOCKER") == "1":
        pytest.fail(reason, pytrace=False)
    if reason is not None:
        pytest.skip(reason)


def docker_trouble() -> str | None:
    """Return why the docker backend cannot be tested here, or None."""
    try:
        client = docker.from_env()
    except docker.errors.DockerException as error:
        return f"no Docker daemon answers: {error}"
    try:
        client.images.get(IMAGE)
    except docker.errors.ImageNotFound:
        return f"the image {IMAGE} is missing: make runner-image"
    except docker.errors.DockerException as error:
        return f"the Docker daemon has trouble: {error}"
    finally:
        client.close()
    return None
