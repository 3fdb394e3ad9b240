"""Seconds by part of the study, over all the sessions that it was made in."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from trainer_client.state.durable import replace_text


class Times:
    """Adds up in a file, so that a study made in several sessions knows what it cost."""

    def __init__(self, file: Path) -> None:
        """Read what earlier sessions took."""
        self._file = file
        self.seconds: dict[str, float] = {}
        if file.exists():
            self.seconds = json.loads(file.read_text(encoding="utf-8"))

    @contextmanager
    def spent_on(self, part: str) -> Iterator[None]:
        """Count the time inside, also of a part that fails."""
        began = time.perf_counter()
        try:
            yield
        finally:
            spent = time.perf_counter() - began
            self.seconds[part] = self.seconds.get(part, 0.0) + spent
            replace_text(self._file, json.dumps(self.seconds, indent=1))

    @property
    def total(self) -> float:
        """Seconds of all parts."""
        return sum(self.seconds.values())
