"""API keys: what they look like, and what of them is kept.

A key is ``azr_`` and 256 random bits. Of a key only its SHA-256 is stored. Slow hashes (bcrypt,
argon2) make guessing dear where people choose the secret; nobody guesses 256 random bits, however
fast the hash, and a slow one would cost every request tens of milliseconds. That is also why
failed attempts are not counted or delayed, and why only tokens of this very form are accepted:
no operator can put the hash of a password of their own in the place of a key.
"""

import hashlib
import re
import secrets
from datetime import datetime
from typing import Final

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from executor_service.dispatch.submission import ANONYMOUS
from executor_service.errors import ConfigurationError

TOKEN: Final = re.compile(r"azr_[A-Za-z0-9_-]{43}", re.ASCII)
"""The form of every key."""
DIGEST: Final = re.compile(r"[0-9a-f]{64}", re.ASCII)
"""The form of every stored hash."""
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)


def new_token() -> str:
    """Return a new key, which is kept nowhere."""
    return f"azr_{secrets.token_urlsafe(32)}"


def token_digest(token: str) -> str:
    """Return what is stored of a key: its SHA-256 in hexadecimal digits."""
    return hashlib.sha256(token.encode("ascii")).hexdigest()


def checked_name(name: str) -> str:
    """Return ``name`` if it can name a key: it appears in logs, metrics and queue entries.

    Raises:
        ConfigurationError: It cannot.
    """
    if not _NAME.fullmatch(name):
        raise ConfigurationError(
            f"{name!r} cannot name a key: 1 to 64 of A-Z a-z 0-9 . _ - are wanted, "
            "a letter or digit first"
        )
    if name == ANONYMOUS:
        raise ConfigurationError(f"{name!r} is the name of those who need no key")
    return name


class StoredKey(BaseModel):
    """What is known of one key."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    name: str
    """Its owner: in logs, in the rate limit and where sandboxes are shared out."""
    sha256: str = Field(pattern=f"^{DIGEST.pattern}$")
    """SHA-256 of the token, in hexadecimal digits."""
    created: AwareDatetime | None = None
    """When it was made; None where that is not recorded (EXECUTOR_KEYS)."""
    revoked: AwareDatetime | None = None
    """When it was revoked; None while it is good."""
    operations_per_second: float | None = Field(None, ge=0, allow_inf_nan=False)
    """Rate of this key in place of EXECUTOR_RATE_LIMIT; 0 for no limit."""
    burst: int | None = Field(None, ge=1)
    """Operations at once of this key in place of EXECUTOR_RATE_BURST."""

    def revoked_at(self, moment: datetime) -> "StoredKey":
        """Return this key, no longer good."""
        return self.model_copy(update={"revoked": moment})
