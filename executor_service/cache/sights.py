"""Which runs were asked for once before, and which programs were seen to differ."""

from collections import OrderedDict
from typing import Final

_MOST: Final = 50_000
"""Keys remembered, about 200 bytes each: ten steps of a training run, at 4,800 runs a step."""
_REFUSED: Final = b""


class Sights:
    """A bounded table of keys; the one that was not asked for longest is forgotten first."""

    def __init__(self, most: int = _MOST) -> None:
        """Remember at most ``most`` keys."""
        self._most = most
        self._seen: OrderedDict[bytes, bytes] = OrderedDict()

    def earlier(self, key: bytes) -> bytes | None:
        """Return the fingerprint that was noted for ``key``; None where there is none."""
        seen = self._seen.get(key)
        if seen is not None:
            self._seen.move_to_end(key)
        return seen or None

    def refused(self, key: bytes) -> bool:
        """Tell whether runs of ``key`` were seen to differ."""
        return self._seen.get(key) == _REFUSED

    def note(self, key: bytes, fingerprint: bytes) -> None:
        """Remember what the first run of ``key`` gave; nothing can make up for a refusal."""
        if key not in self._seen:
            self._put(key, fingerprint)

    def refuse(self, key: bytes) -> None:
        """Remember that runs of ``key`` differ, or that their result cannot be kept."""
        self._put(key, _REFUSED)

    def forget(self, key: bytes) -> None:
        """Remember nothing of ``key``: it is in the store."""
        self._seen.pop(key, None)

    def _put(self, key: bytes, fingerprint: bytes) -> None:
        self._seen[key] = fingerprint
        self._seen.move_to_end(key)
        while len(self._seen) > self._most:
            self._seen.popitem(last=False)
