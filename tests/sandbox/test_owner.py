"""Whose a container is: owners in other containers are looked up at the daemon."""

import os
from collections.abc import Iterator

import docker
import pytest

from executor_service.sandbox.owner import (
    CONTAINER_LABEL,
    OWNER_LABEL,
    Owners,
    container_of_mounts,
    owner_alive,
    owner_name,
)
from runner_image import IMAGE, need_docker

ID = "3ec13da9cd7752b7655ee8124fc03fb9a681b76e3cc218b969a65e8859aedada"
MOUNTS = f"""\
347 241 254:0 /var/lib/docker/containers/{ID}/resolv.conf /etc/resolv.conf ro - ext4 /dev/vda rw
348 241 254:0 /var/lib/docker/containers/{ID}/hostname /etc/hostname ro - ext4 /dev/vda rw
"""
ELSEWHERE = "f12afc3f8f47/4026532489:1:1359005"


@pytest.fixture
def client() -> Iterator[docker.DockerClient]:
    need_docker()
    client = docker.from_env()
    yield client
    client.close()


def test_a_container_finds_its_own_id_among_its_mounts():
    assert container_of_mounts(MOUNTS) == ID


@pytest.mark.parametrize(
    "mounts",
    [
        "",
        "25 1 254:0 / / rw - ext4 /dev/vda rw\n",
        MOUNTS.replace("/etc/hostname", "/mnt/etc/hostname"),
        MOUNTS.replace(ID, ID[:12]),
    ],
)
def test_outside_of_a_container_there_is_no_id(mounts):
    assert container_of_mounts(mounts) is None


def test_a_pid_of_another_namespace_is_not_looked_up_in_this_one():
    place, pid, ticks = owner_name().split(":")
    host, namespace = place.split("/")
    assert pid == str(os.getpid())
    # The same host name, as containers on the host's network have: pids mean others there.
    assert owner_alive(f"{host}/{int(namespace) + 1}:{pid}:{int(ticks) + 1}")
    assert not owner_alive(f"{place}:{pid}:{int(ticks) + 1}")


@pytest.mark.docker
def test_an_owner_in_a_container_lives_as_long_as_that_runs(client):
    owners = Owners(client)
    container = client.containers.create(
        IMAGE, entrypoint=["sleep"], command=["60"], network_mode="none"
    )
    labels = {OWNER_LABEL: ELSEWHERE, CONTAINER_LABEL: container.id}
    try:
        assert not owners.alive(labels), "created is not running"
        container.start()
        assert owners.alive(labels)
        container.pause()
        assert owners.alive(labels)
        container.unpause()
        container.kill()
        container.wait()
        assert not owners.alive(labels)
    finally:
        container.remove(force=True)
    assert not owners.alive(labels)


@pytest.mark.docker
def test_without_a_container_it_is_the_process_that_counts(client):
    owners = Owners(client)
    owners.container = None  # wherever the tests run
    assert owners.alive(owners.labels(owner_name()))
    assert owners.alive({OWNER_LABEL: ELSEWHERE}), "another host's process may live"
    assert not owners.alive({})


@pytest.mark.docker
def test_an_earlier_life_of_the_same_container_is_dead(client):
    owners = Owners(client)
    owners.container = ID
    mine = owners.labels(owner_name())
    assert mine[CONTAINER_LABEL] == ID
    assert owners.alive(mine)
    assert not owners.alive(mine | {OWNER_LABEL: ELSEWHERE}), "before a restart"
