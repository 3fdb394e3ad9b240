"""docker-compose.yml: it is valid in every profile, and the trainer gets GPUs and shared memory."""

import subprocess
from pathlib import Path

import pytest
import yaml

from e2e.compose import ROOT, compose_command


@pytest.fixture
def environment(tmp_path: Path) -> Path:
    file = tmp_path / ".env"
    file.write_text("REDIS_PASSWORD=x\nDOCKER_GID=1\n")
    return file


def config(environment: Path, *profiles: str, **changes: str) -> dict:
    """Return the configuration as compose reads it."""
    command = compose_command()
    if command is None:
        pytest.skip("there is no docker compose")
    chosen = [word for profile in profiles for word in ("--profile", profile)]
    environment.write_text(
        environment.read_text() + "".join(f"{name}={value}\n" for name, value in changes.items())
    )
    done = subprocess.run(
        [*command, "-f", str(ROOT / "docker-compose.yml"), "--env-file", str(environment),
         *chosen, "config"],
        cwd=environment.parent, capture_output=True, text=True, timeout=60, check=False,
        env={"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": str(environment.parent)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return yaml.safe_load(done.stdout)


def test_without_a_profile_there_is_the_verifier_alone(environment):
    assert {"api", "redis", "worker"} <= set(config(environment)["services"])


def test_the_trainer_gets_gpus_room_for_engines_weights_and_an_image_with_vllm(environment):
    changes = {"TRAINER_SHM_SIZE": "130g", "TRAINER_EXTRAS": "train,vllm"}
    found = config(environment, "gpu", "train", "keys", TRAINER_PACKAGES="gcc", **changes)
    assert {"api", "redis", "worker", "keys", "trainer"} <= set(found["services"])
    trainer = found["services"]["trainer"]
    assert {"gpu", "train"} <= set(trainer["profiles"])
    (device,) = trainer["deploy"]["resources"]["reservations"]["devices"]
    assert device["capabilities"] == ["gpu"]
    assert str(trainer["shm_size"]) in ("130g", str(130 << 30))
    words = trainer["command"]
    words = words.split() if isinstance(words, str) else words
    assert words[:4] == ["torchrun", "--standalone", "--nproc-per-node", "gpu"]
    assert "--run-dir" in words
    arguments = trainer["build"]["args"]
    assert (arguments["TRAINER_EXTRAS"], arguments["TRAINER_PACKAGES"]) == ("train,vllm", "gcc")
    text = (ROOT / "docker" / "trainer.Dockerfile").read_text()
    assert {"ARG TRAINER_EXTRAS=train", "ARG TRAINER_PACKAGES="} <= set(text.splitlines())
