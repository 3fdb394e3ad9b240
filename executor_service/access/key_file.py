"""The file of keys: one JSON object a line, replaced as a whole, never half written."""

import contextlib
import fcntl
import json
import os
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from executor_service.access.keys import StoredKey, checked_name
from executor_service.errors import ConfigurationError

_MODE: Final = 0o600


def parse_keys(text: str, source: str) -> list[StoredKey]:
    """Return the keys of a key file's text; ``source`` names it in errors.

    Raises:
        ConfigurationError: A line is not a key; the message has its number.
    """
    keys: list[StoredKey] = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        where = f"{source}, line {number}"
        key = _parse_line(line, where)
        for earlier in keys:
            if earlier.name == key.name:
                raise ConfigurationError(f"{where}: a second key with the name {key.name}")
            if earlier.sha256 == key.sha256:
                raise ConfigurationError(f"{where}: {key.name} has the hash of {earlier.name}")
        keys.append(key)
    return keys


def _parse_line(line: str, where: str) -> StoredKey:
    try:
        fields: Any = json.loads(line)
    except ValueError as error:
        # Only where it is wrong, not what stands there: it may be a token put in by mistake.
        position = f", column {error.colno}" if isinstance(error, json.JSONDecodeError) else ""
        raise ConfigurationError(f"{where}{position}: not JSON") from None
    try:
        key = StoredKey.model_validate(fields)
        checked_name(key.name)
    except ValidationError as error:
        detail = error.errors()[0]
        field = ".".join(str(part) for part in detail["loc"])
        raise ConfigurationError(f"{where}: {field}: {detail['msg']}") from None
    except ConfigurationError as error:
        raise ConfigurationError(f"{where}: {error}") from None
    return key


def read_keys(path: Path) -> list[StoredKey]:
    """Return the keys of a file.

    Raises:
        ConfigurationError: It is not there, not readable, or not a key file.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ConfigurationError(
            f"{path} (EXECUTOR_KEYS_FILE) is not there; azr-executor keys new NAME makes it"
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path} (EXECUTOR_KEYS_FILE) cannot be read: {error}") from None
    return parse_keys(text, str(path))


def add_key(path: Path, key: StoredKey) -> None:
    """Add a key to the file, which is made if it is not there.

    Raises:
        ConfigurationError: The name has been given already, or the file cannot be changed.
    """

    def added(keys: list[StoredKey]) -> list[StoredKey]:
        if any(one.name == key.name for one in keys):
            raise ConfigurationError(
                f"{path} has a key with the name {key.name} already; names are not used again, "
                "because logs go by them"
            )
        return [*keys, key]

    change(path, added)


def revoke_key(path: Path, name: str) -> StoredKey:
    """Mark a key as revoked and return it; one that is revoked already stays as it is.

    Raises:
        ConfigurationError: No key has that name, or the file cannot be changed.
    """
    moment = datetime.now(UTC).replace(microsecond=0)
    found: list[StoredKey] = []

    def revoked(keys: list[StoredKey]) -> list[StoredKey]:
        changed = [
            key.revoked_at(moment) if key.name == name and key.revoked is None else key
            for key in keys
        ]
        found.extend(key for key in changed if key.name == name)
        if not found:
            raise ConfigurationError(f"{path} has no key with the name {name}")
        return changed

    change(path, revoked)
    return found[0]


def change(path: Path, edit: Callable[[list[StoredKey]], list[StoredKey]]) -> None:
    """Replace the file's keys by what ``edit`` makes of them, while nobody else changes them.

    Readers see the old file or the new one. A new file is for its owner alone (mode 0600); one
    that is there keeps its mode and its owner, so that a service of another user can go on
    reading what root changes.
    """
    try:
        with _locked(path):
            keys = edit(read_keys(path) if path.exists() else [])
            _replace(path, "".join(f"{key.model_dump_json(exclude_none=True)}\n" for key in keys))
    except OSError as error:
        raise ConfigurationError(
            f"{path} (EXECUTOR_KEYS_FILE) cannot be changed: {error}"
        ) from None


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    # A file beside it: the key file itself is another one after each change.
    descriptor = os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, _MODE)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _replace(path: Path, text: str) -> None:
    target = path.resolve()  # a link stays a link
    descriptor, temporary = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            if target.exists():
                there = target.stat()
                os.fchmod(file.fileno(), there.st_mode & 0o777)
                if os.geteuid() == 0 or there.st_uid != os.geteuid():
                    os.fchown(file.fileno(), there.st_uid, there.st_gid)
            else:
                os.fchmod(file.fileno(), _MODE)
            os.fsync(file.fileno())
        Path(temporary).replace(target)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
