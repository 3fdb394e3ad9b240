"""Containers killed, and the Docker daemon restarted, while a worker's runs are in them."""

import shutil
import signal
import time

import pytest

from chaos.docker_daemon import DockerDaemon
from chaos.stack import QUICK, Stack, slows, verdicts
from runner_image import IMAGE, need_docker

pytestmark = [pytest.mark.redis, pytest.mark.docker]


@pytest.fixture(scope="module")
def daemon(tmp_path_factory):
    need_docker()
    if shutil.which("dockerd") is None:
        pytest.skip("no dockerd here to start a second daemon with")
    made = DockerDaemon(tmp_path_factory.mktemp("dockerd"))
    try:
        made.start()
        made.load(IMAGE)
        yield made
    finally:
        made.close()


@pytest.fixture
def stack(tmp_path, daemon):
    made = Stack(
        tmp_path, EXECUTOR_BACKEND="docker", EXECUTOR_DOCKER_IMAGE=IMAGE, DOCKER_HOST=daemon.url
    )
    try:
        made.start_redis()
        made.start_api()
        made.start_worker()
        made.ready()
        yield made
    finally:
        made.close()


def statuses(results):
    return [result["status"] for result in results]


def test_killed_sandboxes_are_replaced_and_their_runs_repeated(stack, daemon):
    answer = stack.later(lambda: stack.batch(slows(50, 0.1)))
    stack.until(stack.busy, "the batch to be under way")
    for container in daemon.containers():
        daemon.kill_container(container)
    assert statuses(answer.result()) == verdicts(50)
    stack.until(lambda: len(daemon.containers()) == 2, "the replacements")


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_a_restart_of_the_daemon_is_said_and_survived(stack, daemon, how):
    answer = stack.later(lambda: stack.batch(slows(80, 0.1)))
    stack.until(stack.busy, "the batch to be under way")
    daemon.stop(how)
    if how == signal.SIGTERM:
        stack.unready()  # it took its containers with it
    daemon.start()
    stack.ready()
    results = answer.result()
    for result, right in zip(results, verdicts(80), strict=True):
        assert result["status"] in (right, "infra_error")
        assert result["retryable"] is (result["status"] == "infra_error")
    assert statuses(results).count("infra_error") <= 8
    assert statuses(stack.batch([QUICK] * 20)) == ["correct"] * 20
    stack.until(lambda: len(daemon.containers()) == 2, "two sandboxes")


def test_a_killed_worker_leaves_no_container(stack, daemon):
    answer = stack.later(lambda: stack.batch(slows(10, 0.3)))
    stack.until(stack.busy, "the batch to be under way")
    before = set(daemon.containers())
    stack.kill("worker")
    time.sleep(1)
    stack.start_worker("second")
    assert statuses(answer.result()) == verdicts(10)
    stack.until(lambda: not before & set(daemon.containers()), "the old containers to be gone")
