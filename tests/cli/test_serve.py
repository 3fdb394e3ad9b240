"""``azr-executor serve``: it listens on loopback alone, and its end leaves nothing behind."""

import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from cli.command import COMMAND, ENVIRONMENT, run, run_here
from executor_service.access.browser_guard import is_loopback

COMMANDS = ["serve", "verify", "doctor", "seccomp", "demo", "bench"]


def descendants(root: int) -> set[int]:
    """Return the processes below ``root``, as far as /proc shows them."""
    parents = {}
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError, ValueError, IndexError):
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
            parents[int(entry.name)] = int(fields[1])
    found = {root}
    while more := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= more
    return found - {root}


def alive(pids: set[int]) -> set[int]:
    states = {}
    for pid in pids:
        with contextlib.suppress(OSError):
            states[pid] = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    return {pid for pid, state in states.items() if state != "Z"}


@contextlib.contextmanager
def serving(*flags: str) -> Iterator[tuple[subprocess.Popen, httpx.Client]]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [*COMMAND, "serve", "--port", str(port), "--slots", "1", *flags],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=ENVIRONMENT,
    )
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as http:
            for _ in range(600):
                with contextlib.suppress(httpx.TransportError):
                    if http.get("/readyz").status_code == 200:
                        break
                assert process.poll() is None, process.communicate()[1]
                time.sleep(0.05)
            yield process, http
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_service_and_everything_it_started(number):
    with serving() as (process, http):
        assert http.get("/v1/info").json()["slots"] == 1
        below = descendants(process.pid)
        assert below
        process.send_signal(number)
        process.wait(20)
        deadline = time.monotonic() + 5
        while alive(below) and time.monotonic() < deadline:
            time.sleep(0.02)
        assert alive(below) == set()
        _, stderr = process.communicate()
        assert "Traceback" not in stderr
        with pytest.raises(httpx.TransportError):
            http.get("/healthz")


def test_even_a_killed_service_leaves_no_sandbox():
    with serving() as (process, _):
        below = descendants(process.pid)
        os.kill(process.pid, signal.SIGKILL)
        process.wait(20)
        deadline = time.monotonic() + 5
        while alive(below) and time.monotonic() < deadline:
            time.sleep(0.02)
        assert alive(below) == set()


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.org"])
def test_an_address_that_others_can_reach_is_refused(host):
    done = run_here("serve", "--host", host)
    assert done.exit_code == 1
    assert "not a loopback address" in done.stderr
    assert "Traceback" not in done.stderr


def test_loopback_is_what_this_machine_alone_can_reach():
    for host in ("127.0.0.1", "127.8.8.8", "::1", "localhost"):
        assert is_loopback(host)
    for host in ("0.0.0.0", "::", "10.0.0.1", "localhost.example.org", ""):
        assert not is_loopback(host)


def test_a_missing_protection_that_is_required_stops_the_start():
    done = run("serve", "--slots", "1", "--port", "0", EXECUTOR_REQUIRED_PROTECTIONS='["warding"]')
    assert done.returncode == 1
    assert "unknown protections: warding" in done.stderr


def test_a_port_in_use_is_an_error():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        done = run("serve", "--slots", "1", "--port", port)
    assert done.returncode != 0
    assert "address already in use" in done.stderr


@pytest.mark.parametrize("command", COMMANDS)
def test_help_shows_examples(command):
    done = run_here(command, "--help")
    assert done.exit_code == 0
    assert "Examples" in done.stdout
    assert f"azr-executor {command}" in done.stdout


def test_the_command_lists_its_subcommands_and_its_version():
    done = run("--help")
    assert done.returncode == 0
    for command in COMMANDS:
        assert command in done.stdout
    assert run_here("--version").stdout.strip()
    assert run_here("nonsense").exit_code == 2
