"""What a proposed program may not use: told to the proposer, and sent with each validation.

Both come from here, so that the prompt and the rule cannot differ.
"""

from collections.abc import Sequence
from typing import Any

BANNED_MODULES = (
    "logging", "random", "multiprocessing", "pebble", "subprocess", "threading", "datetime",
    "time", "hashlib", "hmac", "bcrypt", "os.sys", "os.path", "sys.exit", "os.environ", "calendar",
)  # fmt: skip
"""AZR's list: what depends on chance, the clock, the machine, or cannot be inverted."""

BANNED_NAMES = ("eval", "exec", "compile")
"""What runs text made at run time."""


def policy(banned_names: Sequence[str]) -> dict[str, Any]:
    """Return the policy of /v1/validate."""
    return {"banned_modules": list(BANNED_MODULES), "banned_names": list(banned_names)}
