"""What is kept of a program found deterministic: one result for each variant it was run in.

Written as JSON and read back like a frame from a sandbox: with bounds, every part checked, values
by the same decoder. A record that is odd in any way is no record.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any, Final, NoReturn

from executor_service.sandbox.runs import RunError, RunResult, Usage
from executor_service.typed.values import TypedValue, check_value

MAX_RECORD_BYTES: Final = 1 << 18
"""Longest record; a larger result is computed each time."""
_MOST_RESULTS: Final = 16
_PARTS: Final = 7
_SAME: Final = 0
"""Stands for a value that is written like the first result's."""


@dataclass(frozen=True, slots=True)
class Record:
    """Results by variant, all ``ok`` with one value each, or all the same exception."""

    results: Mapping[int, RunResult]

    def encode(self) -> bytes | None:
        """Return the record as bytes, or None where that would be too long."""
        first: TypedValue | None = None
        parts: list[Any] = []
        for variant, result in self.results.items():
            value: Any = result.values[0] if result.values else None
            if first is None:
                first = value
            elif value == first:
                value = _SAME
            error = result.error
            usage = result.usage
            parts.append([
                variant, result.status, value,
                None if error is None else [error.type, error.message, error.line],
                result.stdout, result.stderr, [usage.cpu_ms, usage.wall_ms, usage.max_rss_kb],
            ])  # fmt: skip
        # Not ASCII: escapes would make one character of two lone surrogates.
        text = json.dumps(parts, ensure_ascii=False, separators=(",", ":"))
        data = text.encode("utf-8", "surrogatepass")
        return data if len(data) <= MAX_RECORD_BYTES else None


def decode(data: bytes) -> Record:
    """Read a record.

    Raises:
        ValueError: It is not one.
    """
    if len(data) > MAX_RECORD_BYTES:
        raise ValueError("longer than any record")
    try:
        parts = json.loads(data.decode("utf-8", "surrogatepass"), parse_constant=_refuse)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if type(parts) is not list or not 0 < len(parts) <= _MOST_RESULTS:
        raise ValueError("not a list of results")
    results: dict[int, RunResult] = {}
    first: TypedValue | None = None
    for part in parts:
        if type(part) is not list or len(part) != _PARTS or type(part[0]) is not int:
            raise ValueError("not a result")
        if part[0] in results:
            raise ValueError("two results for one variant")
        if results and part[2] == _SAME and type(part[2]) is int and first is not None:
            value: Any = first
        else:
            value = part[2] if part[2] is None else check_value(part[2])
        first = value if first is None else first
        results[part[0]] = _result(part, value)
    return Record(results)


def _result(part: list[Any], value: TypedValue | None) -> RunResult:
    _, status, _, error, stdout, stderr, usage = part
    if type(stdout) is not str or type(stderr) is not str:
        raise ValueError("stdout and stderr are text")
    if (status, value is None, error is None) not in (
        ("ok", False, True),
        ("runtime_error", True, False),
    ):
        raise ValueError("a result is a value or an exception")
    return RunResult(
        status,
        () if value is None else (value,),
        None if error is None else _error(error),
        stdout,
        stderr,
        _usage(usage),
        cached=True,
    )


def _error(error: Any) -> RunError:
    if type(error) is not list or len(error) != 3:
        raise ValueError("an error is type, message and line")
    kind, message, line = error
    if type(kind) is not str or type(message) is not str or type(line) not in (int, type(None)):
        raise ValueError("an error is type, message and line")
    return RunError(kind, message, line)


def _usage(usage: Any) -> Usage:
    if type(usage) is not list or len(usage) != 3:
        raise ValueError("usage is two times and a size")
    if any(type(part) not in (int, float) or not isfinite(part) or part < 0 for part in usage):
        raise ValueError("usage is finite and not negative")
    return Usage(*usage)


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")
