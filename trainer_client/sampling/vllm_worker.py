"""What is added to vLLM's workers: they end with the trainer, however that ends.

A trainer that is killed cannot end its engine, which would go on holding the device's memory that
the resumed run needs.
"""

import os
import select
from threading import Thread


class EndsWithTrainer:
    """Mixed into vLLM's worker class, by its name, in the engine's processes."""

    def end_with(self, pid: int) -> None:
        """Watch a process and end at once when it has ended; the engine follows its worker."""
        # Of the process itself: its number may be another's later. Linux has it since 5.3.
        trainer = os.pidfd_open(pid)

        def watch() -> None:
            select.select([trainer], [], [])
            os._exit(1)

        Thread(target=watch, name="ends-with-trainer", daemon=True).start()
