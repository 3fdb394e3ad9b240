"""The keys that a running service accepts, from EXECUTOR_KEYS and EXECUTOR_KEYS_FILE."""

import hmac
import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from executor_service.access.key_file import read_keys
from executor_service.access.keys import DIGEST, StoredKey, checked_name, token_digest
from executor_service.errors import ConfigurationError
from executor_service.settings import Settings

log = logging.getLogger(__name__)
_LOOK_AGAIN_S: Final = 1.0
"""The file is looked at no more often than this."""

Signature = tuple[int, ...]
_NO_FILE: Final[Signature] = ()


class KeyRing:
    """The keys that are accepted now.

    A changed file is read anew within a second of the next request. One that has gone closes the
    door: its keys are good no longer. One that is damaged changes nothing but the log, so that a
    slip of the operator's hand does not stop everybody's training.
    """

    def __init__(
        self, keys: str = "", keys_file: str | None = None, clock: Callable[[], float] | None = None
    ) -> None:
        """Read the keys.

        Args:
            keys: ``name:sha256hex`` entries, separated by commas.
            keys_file: Path of the key file, if there is one.
            clock: Seconds on a steady clock; the tests turn it.

        Raises:
            ConfigurationError: An entry or a line is wrong, or the file is not there.
        """
        self._fixed = parse_entries(keys)
        self._path = Path(keys_file) if keys_file else None
        self._clock = clock or time.monotonic
        self._looked = self._clock()
        self._seen = self._signature()
        self._keys = self._read()

    @classmethod
    def from_settings(cls, settings: Settings) -> "KeyRing":
        """Return the keys that the settings name."""
        return cls(settings.keys, settings.keys_file)

    @property
    def required(self) -> bool:
        """Tell whether a key is asked for; a key file without one good key lets nobody in."""
        return bool(self._fixed) or self._path is not None

    def current(self) -> list[StoredKey]:
        """Return all keys, revoked ones included, as they are now."""
        self._refresh()
        return self._keys

    def find(self, token: str) -> StoredKey | None:
        """Return the key whose token this is; it may be revoked.

        Every stored hash is compared, each in constant time, so the time taken says nothing about
        which key it is or how near a hash came. (It takes 0.2 µs a key: 1,000 keys are fine.)
        """
        digest = token_digest(token)
        found = None
        for key in self.current():
            if hmac.compare_digest(key.sha256, digest):
                found = key
        return found

    def _refresh(self) -> None:
        now = self._clock()
        if self._path is None or now - self._looked < _LOOK_AGAIN_S:
            return
        self._looked = now
        # Taken before it is read: a change in between is seen at the next look.
        signature = self._signature()
        if signature == self._seen:
            return
        self._seen = signature
        if signature == _NO_FILE:
            log.error("%s has gone: its keys are accepted no longer", self._path)
            self._keys = self._fixed
            return
        try:
            self._keys = self._read()
        except ConfigurationError as error:
            log.error("the keys stay as they were: %s", error)
            return
        log.info("%s has changed; good keys: %d", self._path, len(self._good()))

    def _read(self) -> list[StoredKey]:
        keys = list(self._fixed)
        if self._path is not None:
            for key in read_keys(self._path):
                if any(key.name == one.name or key.sha256 == one.sha256 for one in self._fixed):
                    raise ConfigurationError(
                        f"the key {key.name} is in EXECUTOR_KEYS and in {self._path}; keep one"
                    )
                keys.append(key)
        return keys

    def _good(self) -> list[StoredKey]:
        return [key for key in self._keys if key.revoked is None]

    def _signature(self) -> Signature:
        if self._path is None:
            return _NO_FILE
        try:
            found = self._path.stat()
        except FileNotFoundError:
            return _NO_FILE
        except OSError:
            return (-1,)  # reading it says what is wrong
        return (found.st_mtime_ns, found.st_size, found.st_ino, found.st_dev)


def parse_entries(text: str) -> list[StoredKey]:
    """Return the keys of ``name:sha256hex`` entries separated by commas.

    Raises:
        ConfigurationError: An entry is wrong; the message has its number, not its text.
    """
    keys: list[StoredKey] = []
    entries = [entry.strip() for entry in text.split(",")]
    for number, entry in enumerate(entries, 1):
        if not entry:
            continue
        where = f"EXECUTOR_KEYS, entry {number}"
        name, colon, digest = entry.partition(":")
        if not colon or not DIGEST.fullmatch(digest.strip().lower()):
            raise ConfigurationError(
                f"{where}: name:SHA-256 is wanted, the hash in 64 hexadecimal digits; "
                "azr-executor keys new NAME --print-hash shows it"
            )
        try:
            key = StoredKey(name=checked_name(name.strip()), sha256=digest.strip().lower())
        except ConfigurationError as error:
            raise ConfigurationError(f"{where}: {error}") from None
        if any(key.name == one.name or key.sha256 == one.sha256 for one in keys):
            raise ConfigurationError(f"{where}: {key.name} is there twice")
        keys.append(key)
    return keys
