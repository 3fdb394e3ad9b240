"""The embedded backend needs no root: the same protections for a user without any right."""

import os
import subprocess
import sys
from pathlib import Path

import pydantic
import pytest

SYSTEM_PYTHON = Path("/usr/bin/python3")
USER = 12_345
SOURCE = Path(__file__).parents[2]
PACKAGES = Path(pydantic.__file__).parent.parent
DOCTOR = """
import sys
from executor_service.cli.main import app
sys.argv = ["azr-executor", "doctor"]
app()
"""


def same_python() -> bool:
    """Tell whether the distribution's interpreter can load this environment's packages."""
    if not SYSTEM_PYTHON.exists():
        return False
    version = subprocess.run(
        [SYSTEM_PYTHON, "-c", "import sys; print(sys.version_info[:2])"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    return version == str(sys.version_info[:2])


def reachable(path):
    """Tell whether any user can get to ``path``."""
    return all(part.stat().st_mode & 0o001 for part in (path, *path.parents))


@pytest.mark.skipif(
    not (reachable(SOURCE) and reachable(PACKAGES)), reason="this checkout is root's alone"
)
@pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user")
@pytest.mark.skipif(not same_python(), reason="no Python that another user can read")
def test_an_ordinary_user_gets_every_required_protection():
    answer = subprocess.run(
        [SYSTEM_PYTHON, "-B", "-c", DOCTOR],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        user=USER,
        group=USER,
        extra_groups=[],
        cwd="/",
        env={"PYTHONPATH": f"{SOURCE}:{PACKAGES}", "HOME": "/", "PATH": "/usr/bin:/bin"},
    )
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert "a trivial program: ok" in answer.stdout
    assert "a program that opens a socket: security_violation" in answer.stdout
