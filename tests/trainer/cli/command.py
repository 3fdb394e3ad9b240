"""``azr-trainer`` in this process."""

from click.testing import Result
from typer.testing import CliRunner

from trainer_client.cli.main import app


def run(*arguments: str) -> Result:
    environment = {
        "COLUMNS": "160", "NO_COLOR": "1", "TERM": "dumb",
        "VERIFIER_URL": None, "VERIFIER_KEY": None,
    }  # fmt: skip
    return CliRunner().invoke(app, arguments, env=environment)
