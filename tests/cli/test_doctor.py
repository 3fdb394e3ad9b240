"""``azr-executor doctor``: what protects this host, and an exit status that can be relied on."""

from cli.command import run_here
from executor_service.settings import Settings


def test_a_host_with_all_that_is_required_is_healthy():
    done = run_here("doctor")
    assert done.exit_code == 0, done.stdout + done.stderr
    for name in Settings().required_protections:
        assert name in done.stdout
    assert "landlock" in done.stdout
    assert "a trivial program: ok" in done.stdout
    assert "a program that opens a socket: security_violation" in done.stdout
    assert "python in the sandbox: 3." in done.stdout


def test_a_required_protection_that_is_missing_is_named_and_ends_with_1():
    # The embedded backend never has a memory cgroup of its own.
    done = run_here("doctor", EXECUTOR_REQUIRED_PROTECTIONS='["memory_cgroup"]')
    assert done.exit_code == 1
    assert "missing and required: memory_cgroup" in done.stdout


def test_a_required_protection_that_does_not_exist_is_named_and_ends_with_1():
    done = run_here("doctor", EXECUTOR_REQUIRED_PROTECTIONS='["warding"]')
    assert done.exit_code == 1
    assert "warding" in done.stdout + done.stderr


def test_a_wrong_setting_is_named_and_ends_with_2():
    done = run_here("doctor", EXECUTOR_QUEUE_SIZE="many")
    assert done.exit_code == 2
    assert "EXECUTOR_QUEUE_SIZE" in done.stderr
    assert "Traceback" not in done.stderr
