"""Which Python runs the programs of the embedded backend, and what files it needs.

The build matters: a fork of one CPython 3.11 costs twice a fork of another. A distribution's own
interpreter is preferred because its files are readable by an unprivileged user.
"""

import json
import os
import shutil
import subprocess  # nosec - fixed arguments
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from executor_service.errors import ConfigurationError

OLDEST: Final = (3, 11)
_CANDIDATES: Final = ("/usr/bin/python3", "/usr/local/bin/python3")
_ASK: Final = (
    "import json, sys; print(json.dumps([sys.version_info[:3], sys.executable, "
    "sys.base_prefix, sys.prefix]))"
)
_SHARED_PATHS: Final = (
    "/usr/lib", "/usr/local/lib", "/lib", "/lib64", "/usr/lib64", "/usr/share/zoneinfo",
    "/etc/ld.so.cache", "/etc/alternatives",
)  # fmt: skip


@dataclass(frozen=True)
class Interpreter:
    """A Python interpreter on the host."""

    executable: Path
    version: tuple[int, int, int]
    prefix: Path

    def paths(self) -> list[Path]:
        """Return what must be visible in a sandbox for this interpreter to run, parents first."""
        wanted = [Path(path) for path in _SHARED_PATHS]
        wanted += [self.executable, self.executable.resolve()]
        if str(self.prefix) not in ("/usr", "/usr/local"):
            wanted.append(self.prefix)
        return list(dict.fromkeys(path for path in wanted if path.exists()))

    def readable_by_others(self) -> bool:
        """Tell whether an unprivileged user can reach the interpreter's files."""
        for path in (self.executable.resolve(), self.prefix / "lib"):
            for part in (path, *path.parents):
                if part.exists() and not part.stat().st_mode & 0o001:
                    return False
        return True


def find_interpreter(configured: str | None) -> Interpreter:
    """Return the configured interpreter, or the first suitable one of this host.

    Raises:
        ConfigurationError: None is there, or the configured one is too old or does not run.
    """
    if configured is not None:
        path = shutil.which(configured)
        if path is None:
            raise ConfigurationError(f"EXECUTOR_PYTHON: {configured} is not an executable")
        interpreter = _inspect(path)
        if interpreter is None:
            raise ConfigurationError(f"EXECUTOR_PYTHON: {configured} is no Python >= 3.11")
        return interpreter
    for candidate in (*_CANDIDATES, shutil.which("python3")):
        interpreter = _inspect(candidate) if candidate else None
        if interpreter is not None:
            return interpreter
    raise ConfigurationError("no Python >= 3.11 found; set EXECUTOR_PYTHON")


def _inspect(path: str) -> Interpreter | None:
    if not os.access(path, os.X_OK):
        return None
    answer = subprocess.run(  # noqa: S603
        [path, "-I", "-c", _ASK], capture_output=True, text=True, check=False, timeout=20
    )
    if answer.returncode != 0:
        return None
    version, executable, base_prefix, _ = json.loads(answer.stdout)
    if tuple(version[:2]) < OLDEST:
        return None
    # A virtual environment's python is a link to its base: the sandbox uses the base itself.
    return Interpreter(
        Path(executable).resolve(), (version[0], version[1], version[2]), Path(base_prefix)
    )
