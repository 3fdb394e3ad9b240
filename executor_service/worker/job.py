"""What RQ calls for a chunk. The API names this function and does not import it."""

from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

CARRY_OUT: ContextVar[Callable[[str], Any]] = ContextVar("CARRY_OUT")
"""Carries out a payload; set in each thread that takes jobs. Without it there is no worker."""


def carry_out(payload: str) -> None:
    """Carry out a chunk in the worker that this thread belongs to."""
    CARRY_OUT.get()(payload)
