"""How long to wait before something is tried again."""

import random
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime


@dataclass(frozen=True)
class Backoff:
    """Waits that double from `base` to `longest` seconds, each cut by up to half at random.

    The chance only spreads clients over time; no result depends on it.

    Example:
        >>> from trainer_client.verifier import Backoff, Verifier
        >>> with Verifier(backoff=Backoff(base=0.1, longest=5.0)) as verifier:
        ...     verifier.greet()
    """

    base: float = 0.25
    longest: float = 20.0

    def seconds(self, attempt: int) -> float:
        """Return the wait after the failure of an attempt, the first of which is 1."""
        whole: float = min(self.longest, self.base * 2.0 ** min(attempt - 1, 32))
        return whole * random.uniform(0.5, 1.0)  # noqa: S311 - no secret


def retry_after(header: str | None) -> float:
    """Return the seconds that a Retry-After header asks for: a number or a date; else 0."""
    if header is None:
        return 0.0
    text = header.strip()
    # Not int(): it takes signs, spaces and other scripts' digits.
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return 0.0
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())
