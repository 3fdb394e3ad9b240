"""Whether results may be kept: which runs agree, and which programs are never remembered."""

import hashlib
import marshal
import re
from collections.abc import Sequence
from typing import Final

from executor_service.sandbox.runs import RunRequest, RunResult
from executor_service.typed.equality import typed_key

_KEPT: Final = frozenset({"ok", "runtime_error"})
"""All other statuses say something about limits, or about us, and never count as established."""
_CLOCKS: Final = re.compile(
    r"\b(?:time|times|datetime|calendar|monotonic|perf_counter|process_time|uptime)\b"
)
_MARSHAL_VERSION: Final = 2


def can_be_kept(result: RunResult) -> bool:
    """Tell whether a result of this kind may be kept once it is found deterministic."""
    return result.status in _KEPT


def mentions_a_clock(request: RunRequest) -> bool:
    """Tell whether a program names a clock.

    Runs a moment apart agree on a clock that is read coarsely enough, and no run can be given
    another monotonic clock. A scan of the text: what it misses is kept for one TTL at most.
    """
    texts = (request.program, *request.imports, request.expression or "")
    return any(_CLOCKS.search(text) for text in texts)


def agree(results: Sequence[RunResult], *, streams: bool = True) -> bool:
    """Tell whether all results are one, under typed equality of their values.

    Args:
        results: At least one.
        streams: Whether stdout and stderr must be equal too.
    """
    first = results[0]
    if first.status != "ok":
        return can_be_kept(first) and all(
            result.status == first.status
            and _raised(result) == _raised(first)
            and (not streams or _streams(result) == _streams(first))
            for result in results
        )
    return (
        all(result.status == "ok" for result in results)
        and len({typed_key(value) for result in results for value in result.values}) == 1
        and (not streams or len({_streams(result) for result in results}) == 1)
    )


def fingerprint(result: RunResult) -> bytes:
    """Return 16 bytes that two runs in the same variant share when nothing about them differs."""
    body = (result.status, result.values, _raised(result), _streams(result))
    return hashlib.sha256(marshal.dumps(body, _MARSHAL_VERSION)).digest()[:16]


def silent(results: Sequence[RunResult]) -> bool:
    """Tell whether none of the runs printed anything."""
    return not any(result.stdout or result.stderr for result in results)


def _raised(result: RunResult) -> tuple[str, str] | None:
    return None if result.error is None else (result.error.type, result.error.message)


def _streams(result: RunResult) -> tuple[str, str]:
    return result.stdout, result.stderr
