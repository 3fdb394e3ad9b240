"""Files of one JSON object a line: appended to while a run goes, cut back when it is resumed.

A process killed in the middle of a line leaves half of one; readers pass over it.
"""

import json
import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

from trainer_client.state.durable import sync_directory, sync_file

log = logging.getLogger(__name__)


def write_line(file: IO[str], record: dict[str, Any]) -> None:
    """Append a record to an open file and hand it to the system at once.

    Raises:
        ValueError: a number in it is NaN or infinite, which JSON does not have.
    """
    file.write(json.dumps(record, allow_nan=False, separators=(",", ":")) + "\n")
    file.flush()


def read_lines(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the records of a file, none where it does not exist, without unreadable lines."""
    if not path.exists():
        return
    unread = 0
    with path.open(encoding="utf-8", errors="replace") as file:
        for line in file:
            record = _parse(line)
            if record is None:
                unread += 1
            else:
                yield record
    if unread:
        log.warning("%s: %d unreadable lines were passed over", path, unread)


def keep_lines(path: Path, wanted: Callable[[dict[str, Any]], bool]) -> None:
    """Rewrite a file with the wanted records alone, at once; their lines stay as they are."""
    if not path.exists():
        return
    partial = path.with_name(f".{path.name}.partial")
    with (
        path.open(encoding="utf-8", errors="replace") as source,
        partial.open("w", encoding="utf-8") as target,
    ):
        for line in source:
            record = _parse(line)
            if record is not None and wanted(record):
                target.write(line)
    sync_file(partial)
    partial.replace(path)
    sync_directory(path.parent)


def _parse(line: str) -> dict[str, Any] | None:
    """Return the record of a line; None for half a line, or for what is no object."""
    if not line.endswith("\n"):
        return None
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return record if isinstance(record, dict) else None
