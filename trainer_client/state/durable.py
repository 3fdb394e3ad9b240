"""Writing so that a reader, or a resumed run, finds the old content or the new, never a mixture."""

import os
from pathlib import Path


def replace_text(path: Path, text: str) -> None:
    """Replace a file's text at once, and have it on the disk before returning."""
    partial = path.with_name(f".{path.name}.partial")
    partial.write_text(text, encoding="utf-8")
    sync_file(partial)
    partial.replace(path)
    sync_directory(path.parent)


def sync_file(path: Path) -> None:
    """Have a file's content on the disk."""
    with path.open("rb") as file:
        os.fsync(file.fileno())


def sync_directory(path: Path) -> None:
    """Have a directory's names on the disk, so that a rename in it survives a loss of power."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_tree(path: Path) -> None:
    """Have a directory on the disk with all that is in it."""
    for folder, _, names in os.walk(path):
        for name in names:
            sync_file(Path(folder, name))
        sync_directory(Path(folder))
