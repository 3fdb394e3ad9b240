"""The scratch: the one place where a script can leave files, for as long as it runs.

It is the sandbox's ``/tmp``, a small tmpfs of its own, which holds nothing else. One script runs at
a time, and the supervisor empties the scratch before it reports that the script has ended. No
links, sockets or devices can be made in there (``seccomp/program.json``), and the scripts are dead
when the supervisor reads and removes what they left; so no path leads anywhere else.

Covered: files of any name, number, mode and depth. Not covered: how much they take before the
supervisor looks, beyond the size of the tmpfs.
"""

import os
import stat
from collections.abc import Iterable
from typing import Final

from .frames import FETCHED, TOO_LARGE

SCRATCH: Final = "/tmp"  # noqa: S108 - the sandbox's own
SCRATCH_BYTES: Final = 16 * 1024 * 1024
"""Size of the tmpfs, as both backends mount it, and so of the largest file."""
WORK: Final = SCRATCH + "/run"
"""Where a script begins: its files are here, and paths of the request start from here."""
MOST_FILES: Final = 1024
"""Files and directories that a script may keep at once; the Docker backend's tmpfs has no more."""


def files_in_use() -> int:
    """Return how many files and directories the scratch holds."""
    figures = os.statvfs(SCRATCH)
    return figures.f_files - figures.f_ffree


def fetch(paths: Iterable[str], cap: int) -> bytes:
    """Return the regular files among ``paths`` as ``frames.FETCHED`` records.

    What does not fit ``cap`` bytes any more is named without its content.
    """
    parts: list[bytes] = []
    room = cap
    for number, path in enumerate(paths):
        content = _read(f"{WORK}/{path}", room - FETCHED.size)
        if content is None:
            continue
        size = TOO_LARGE if len(content) > room - FETCHED.size else len(content)
        parts.append(FETCHED.pack(number, size))
        room -= FETCHED.size
        if size != TOO_LARGE:
            parts.append(content)
            room -= size
    return b"".join(parts)


def _read(path: str, room: int) -> bytes | None:
    """Return at most one byte more than ``room`` of a regular file; None where there is none."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return None
        content = bytearray()
        while len(content) <= room and (chunk := os.read(descriptor, room + 1 - len(content))):
            content += chunk
        return bytes(content)
    finally:
        os.close(descriptor)


def clear() -> None:
    """Remove everything; the scripts that made it are dead.

    Raises:
        OSError: Something could not be removed; then this sandbox must not run anything any more.
    """
    scratch = os.fsencode(SCRATCH)
    waiting = [scratch + b"/" + name for name in os.listdir(scratch)]
    # A directory in a directory is moved to the top first, so that no path ever grows long. Nobody
    # could know the name it gets there.
    prefix = scratch + b"/" + os.urandom(8).hex().encode()
    moved = 0
    while waiting:
        path = waiting.pop()
        if _unlink(path):
            continue
        os.chmod(path, 0o700)
        for name in os.listdir(path):
            inner = path + b"/" + name
            if not _unlink(inner):
                os.chmod(inner, 0o700)  # to be moved, it must be writable itself
                moved += 1
                waiting.append(b"%s-%d" % (prefix, moved))
                os.rename(inner, waiting[-1])
        os.rmdir(path)


def _unlink(path: bytes) -> bool:
    """Remove a file; return False where it is a directory."""
    try:
        os.unlink(path)
    except IsADirectoryError:
        return False
    return True
