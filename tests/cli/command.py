"""The command as a user starts it."""

import os
import subprocess
import sys
from typing import Final

from click.testing import Result
from typer.testing import CliRunner

from executor_service.cli.main import app

COMMAND: Final = (sys.executable, "-c", "from executor_service.cli.main import app; app()")
ENVIRONMENT: Final = {
    name: value for name, value in os.environ.items() if not name.startswith("EXECUTOR_")
} | {"COLUMNS": "100", "NO_COLOR": "1", "TERM": "dumb"}


def run(*arguments: str, stdin: str | None = None, **settings: str) -> subprocess.CompletedProcess:
    """Run the command to its end; ``settings`` become environment variables."""
    return subprocess.run(
        [*COMMAND, *arguments],
        input=stdin,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env=ENVIRONMENT | settings,
    )


def run_here(*arguments: str, stdin: str | None = None, **settings: str) -> Result:
    """Run the command to its end in this process: the same, without the start of a Python."""
    cleared = {name: None for name in os.environ if name.startswith("EXECUTOR_")}
    environment = cleared | {"COLUMNS": "160", "NO_COLOR": "1", "TERM": "dumb"} | settings
    return CliRunner().invoke(app, arguments, input=stdin, env=environment)
