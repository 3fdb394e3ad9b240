"""Commands configure the process's logging, which is undone after each test."""

from tests.trainer.cli.conftest import usual_logging

__all__ = ["usual_logging"]
