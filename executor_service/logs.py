"""Logging: readable on a terminal, one JSON object a line elsewhere.

What belongs to a request or a job is said once, where it begins, and is then on every record that
is made on its behalf, in whatever task: ``with logs.context(request_id=..., job_id=...)``.
Programs, answers, keys and paths are never logged.
"""

import json
import logging
import sys
import time
from collections.abc import Mapping
from contextvars import ContextVar, Token
from types import MappingProxyType
from typing import Any, Final

FIELDS: Final = ("request_id", "owner", "job_id", "worker")
"""What a context may say."""

_NOTHING: Final[Mapping[str, Any]] = MappingProxyType({})
_context: ContextVar[Mapping[str, Any]] = ContextVar("log_context", default=_NOTHING)
_PLAIN: Final = frozenset(logging.LogRecord("", 0, "", 0, "", None, None).__dict__) | {
    "message",
    "asctime",
    "color_message",
    "taskName",
}


class Context:
    """Puts a mapping's fields on all records made while it is entered."""

    __slots__ = ("_mapping", "_token")

    def __init__(self, mapping: Mapping[str, Any]) -> None:
        """Keep ``mapping`` itself: what is added to it later appears on later records."""
        self._mapping = mapping
        self._token: Token[Mapping[str, Any]] | None = None

    def __enter__(self) -> None:
        """Begin."""
        self._token = _context.set(self._mapping)

    def __exit__(self, *_: object) -> None:
        """End: records have again what they had before."""
        assert self._token is not None
        _context.reset(self._token)


def context(
    *,
    request_id: str | None = None,
    owner: str | None = None,
    job_id: str | None = None,
    worker: str | None = None,
) -> Context:
    """Return a context manager that puts these fields on records, beside those of the outer one.

    A field that is None or empty stays as it is outside. Tasks that are started inside keep what
    was said when they were started.
    """
    fields = current()
    if request_id:
        fields["request_id"] = request_id
    if owner:
        fields["owner"] = owner
    if job_id:
        fields["job_id"] = job_id
    if worker:
        fields["worker"] = worker
    return Context(fields)


def current() -> dict[str, str]:
    """Return the fields that a record made now would have."""
    mapping = _context.get()
    return {name: value for name in FIELDS if (value := mapping.get(name))}


class ContextFilter(logging.Filter):
    """Puts the context's fields on a record, unless it has its own; lets every record pass."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Add the fields."""
        for name, value in current().items():
            if not hasattr(record, name):
                setattr(record, name, value)
        return True


class JsonFormatter(logging.Formatter):
    """Formats a record as one JSON object, with whatever ``extra`` it carries."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line; JSON escapes control characters, so no text can forge a line."""
        seconds = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        line: dict[str, Any] = {
            "time": f"{seconds}.{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        line |= {key: value for key, value in record.__dict__.items() if key not in _PLAIN}
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, default=repr)


class TerminalFormatter(logging.Formatter):
    """Formats a record for people; control characters in it are shown, never obeyed."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's name
        """Return the first line, with the context's fields at its end."""
        said = [f"{name}={value}" for name in FIELDS if (value := getattr(record, name, None))]
        return super().formatMessage(record) + (f"  [{' '.join(said)}]" if said else "")

    def format(self, record: logging.LogRecord) -> str:
        """Return the text."""
        text = super().format(record)
        return "".join(c if c in "\n\t" or c.isprintable() else repr(c)[1:-1] for c in text)


def configure(level: str) -> None:
    """Send all logs to stderr at ``level``; what uvicorn would say of each request stays out."""
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(ContextFilter())
    if sys.stderr.isatty():
        handler.setFormatter(TerminalFormatter("%(asctime)s %(levelname)-7s %(message)s"))
    else:
        handler.setFormatter(JsonFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logger = logging.getLogger(name)
        logger.handlers[:] = []
        logger.propagate = True
    logging.getLogger("uvicorn.access").setLevel(logging.WARNING)
    logging.getLogger("httpx").setLevel(logging.WARNING)
