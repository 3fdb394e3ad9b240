"""The ``Authorization`` header: a token, or why there is none.

Clients that know of no keys can often be given one all the same: of ``http://any:KEY@HOST`` their
HTTP libraries make ``Basic`` with the key for its password.
"""

import binascii
import re
from base64 import b64decode
from collections.abc import Sequence
from typing import Final

from executor_service.access.keys import TOKEN
from executor_service.errors import NotAuthenticated

Headers = Sequence[tuple[bytes, bytes]]
"""Request headers as ASGI has them: names in small letters."""

MISSING: Final = "no Authorization header"
MALFORMED: Final = "an Authorization header that is not Bearer and a key"
_BASIC: Final = re.compile(rb"basic +([A-Za-z0-9+/]{1,1000}={0,2})", re.IGNORECASE)
_BEARER: Final = re.compile(rb"bearer +(" + TOKEN.pattern.encode() + rb")", re.IGNORECASE)


def bearer_token(headers: Headers) -> str:
    """Return the token of the one ``Authorization`` header.

    Raises:
        NotAuthenticated: There is no such header, more than one, or another thing in it.
    """
    values = [value for name, value in headers if name == b"authorization"]
    if not values:
        raise NotAuthenticated(MISSING)
    value = values[0].strip(b" \t")
    match = _BEARER.fullmatch(value)
    text = match[1].decode("ascii") if match else _password(value, headers)
    # Of two headers, a proxy in front may have checked one and this server would take the other.
    if len(values) > 1 or not TOKEN.fullmatch(text):
        raise NotAuthenticated(MALFORMED)
    return text


def _password(value: bytes, headers: Headers) -> str:
    """Return the password of a ``Basic`` header, "" where there is none.

    Nor for a web page: a browser sends those that it has seen once of its own accord.
    """
    match = _BASIC.fullmatch(value)
    if match is None or any(name == b"origin" for name, _ in headers):
        return ""
    try:
        return b64decode(match[1], validate=True).partition(b":")[2].decode("ascii")
    except (binascii.Error, UnicodeDecodeError):
        return ""
