"""Saying what went wrong without the words of it: messages of errors may quote programs."""

import logging
import traceback


def where(error: BaseException) -> str:
    """Return the kind of an error and the line it came from; never its message."""
    frames = traceback.extract_tb(error.__traceback__)
    if not frames:
        return type(error).__name__
    return f"{type(error).__name__} at {frames[-1].filename}:{frames[-1].lineno}"


class Complaints:
    """Reports each kind of trouble once, until there was none: for loops that must go on."""

    def __init__(self, log: logging.Logger, what: str) -> None:
        self._log = log
        self._what = what
        self._said: set[str] = set()

    def note(self, error: BaseException) -> None:
        """Log ``error`` unless the same has been logged since the last ``over``."""
        said = where(error)
        if said not in self._said:
            self._said.add(said)
            self._log.error("%s: %s", self._what, said)

    def over(self) -> None:
        """Forget what was said: it works again."""
        self._said.clear()
