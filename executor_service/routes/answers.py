r"""JSON answers. Lone surrogates are legal in Python text and travel as ``\udXXX`` escapes."""

import json
from typing import Any

from fastapi.responses import Response


def dump(value: Any) -> bytes:
    """Return the JSON bytes of ``value``, pure ASCII."""
    return json.dumps(value, separators=(",", ":")).encode("ascii")


def answer(value: Any, status: int = 200) -> Response:
    """Return ``value`` as a JSON response."""
    return Response(dump(value), status, media_type="application/json")
