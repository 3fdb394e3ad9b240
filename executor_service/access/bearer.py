"""The ``Authorization`` header: a token, or why there is none."""

import re
from collections.abc import Iterable
from typing import Final

from executor_service.access.keys import TOKEN
from executor_service.errors import NotAuthenticated

Headers = Iterable[tuple[bytes, bytes]]
"""Request headers as ASGI has them: names in small letters."""

MISSING: Final = "no Authorization header"
MALFORMED: Final = "an Authorization header that is not Bearer and a key"
_BEARER: Final = re.compile(rb"bearer +(" + TOKEN.pattern.encode() + rb")", re.IGNORECASE)


def bearer_token(headers: Headers) -> str:
    """Return the token of the one ``Authorization`` header.

    Raises:
        NotAuthenticated: There is no such header, more than one, or another thing in it.
    """
    values = [value for name, value in headers if name == b"authorization"]
    if not values:
        raise NotAuthenticated(MISSING)
    match = _BEARER.fullmatch(values[0].strip(b" \t"))
    # Of two headers, a proxy in front may have checked one and this server would take the other.
    if match is None or len(values) > 1 or not TOKEN.fullmatch(match[1].decode("ascii")):
        raise NotAuthenticated(MALFORMED)
    return match[1].decode("ascii")
