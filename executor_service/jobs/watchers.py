"""Who in this process wants to know how jobs go on: event streams, long polls, runs."""

import asyncio
import contextlib
from collections.abc import Iterator

from executor_service.jobs.record import Standing


class Watch:
    """One watcher's view of one job."""

    def __init__(self) -> None:
        self._news = asyncio.Event()
        self._standing: Standing | None = None

    def tell(self, standing: Standing | None) -> None:
        """Pass on how the job stands; None to have the watcher ask the store."""
        self._standing = standing
        self._news.set()

    async def news(self) -> Standing | None:
        """Wait for the next news and return the latest; None: ask the store."""
        await self._news.wait()
        self._news.clear()
        return self._standing


class Watchers:
    """The watchers of all jobs."""

    def __init__(self) -> None:
        self._watches: dict[str, set[Watch]] = {}
        self.dismissed = False
        """Whether clients should look elsewhere: this process is about to end."""

    @contextlib.contextmanager
    def watch(self, job_id: str) -> Iterator[Watch]:
        """Hand out a watch that hears of everything from now on."""
        watch = Watch()
        watches = self._watches.setdefault(job_id, set())
        watches.add(watch)
        try:
            yield watch
        finally:
            watches.discard(watch)
            if not watches:
                self._watches.pop(job_id, None)

    def tell(self, job_id: str, standing: Standing | None) -> None:
        """Tell those who watch the job."""
        for watch in self._watches.get(job_id, ()):
            watch.tell(standing)

    def tell_all(self) -> None:
        """Have every watcher ask the store: news may have been missed."""
        for job_id in self._watches:
            self.tell(job_id, None)

    def dismiss(self) -> None:
        """Have every client that follows a job end."""
        self.dismissed = True
        self.tell_all()

    def count(self) -> int:
        """Return the number of watches."""
        return sum(map(len, self._watches.values()))
