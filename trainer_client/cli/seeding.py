"""How the buffers fill while they are seeded: bars on a terminal, log lines elsewhere."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn

from trainer_client.records.kinds import Task
from trainer_client.selfplay.progress import SeedingProgress

log = logging.getLogger(__name__)


@contextmanager
def seeding_bars() -> Iterator[SeedingProgress]:
    """Yield what to call with (task, entries, target); the bars go when all are full."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda task, entries, target: log.info("seeding %s: %d/%d", task, entries, target)
        return
    columns = (TextColumn("seeding {task.description}"), BarColumn(), MofNCompleteColumn())
    bars = Progress(*columns, console=console, transient=True)
    ids: dict[Task, TaskID] = {}

    def show(task: Task, entries: int, target: int) -> None:
        if task not in ids:
            bars.start()
            ids[task] = bars.add_task(str(task), total=target)
        bars.update(ids[task], completed=min(entries, target))
        if all(bar.finished for bar in bars.tasks):
            bars.stop()

    try:
        yield show
    finally:
        bars.stop()
