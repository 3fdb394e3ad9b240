"""``azr-executor seccomp``: the profiles in words and as bytes."""

import subprocess

import pytest

from cli.command import COMMAND, ENVIRONMENT, run_here
from executor_service.sandbox.seccomp import DOCKER_DEFAULT, compile_bpf, load_profile


def test_explain_counts_what_each_profile_lets_through():
    done = run_here("seccomp", "--explain")
    assert done.exit_code == 0, done.stderr
    assert "container.json" in done.stdout
    assert "program.json" in done.stdout
    assert str(DOCKER_DEFAULT.reachable) in done.stdout
    assert "arg2 & 0x400643 == 0x0" in done.stdout


@pytest.mark.parametrize("name", ["container", "program"])
@pytest.mark.parametrize("threads", [False, True])
def test_compile_writes_the_filter_that_the_service_uses(name, threads):
    flags = ["--allow-threads"] if threads else []
    done = subprocess.run(
        [*COMMAND, "seccomp", "--compile", name, *flags],
        capture_output=True, timeout=60, check=True, env=ENVIRONMENT,
    )  # fmt: skip
    assert done.stdout == compile_bpf(load_profile(name), allow_threads=threads)


@pytest.mark.parametrize("flags", [[], ["--compile", "nothing"]])
def test_a_mistake_is_told_in_words(flags):
    done = run_here("seccomp", *flags)
    assert done.exit_code == 2
    assert "Traceback" not in done.stderr
