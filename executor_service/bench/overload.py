"""The same verdicts at 1x and at 16x: load may change latency and nothing else.

Three passes over the same operations. *1x*: one client per slot, one slot per CPU. *16x clients*:
sixteen clients per slot, and busy loops beside them that take the processors. *16x runs*: sixteen
slots per CPU, all of them busy, and the busy loops too, so that each run gets a fraction of a
processor. Every status, score and reported reason is compared with the first pass.
"""

import asyncio
import contextlib
import subprocess  # nosec - busy loops of our own
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from executor_service.bench.drive import Result, carry_out, for_each, status_of
from executor_service.bench.mix import Mixed
from executor_service.service import running_service
from executor_service.settings import Settings, usable_cpus

FACTOR: Final = 16
_HOGS_PER_CPU: Final = 1
_HOG: Final = "import time\nend = time.monotonic() + 900\nwhile time.monotonic() < end: pass"


@dataclass
class Pass:
    """One pass over the mix."""

    name: str
    slots: int
    clients: int
    hogs: int
    seconds: float = 0.0
    verdicts: int = 0
    statuses: Counter[str] = field(default_factory=Counter)
    different: list[str] = field(default_factory=list)
    """Verdicts that are not those of the first pass."""
    unexpected: list[str] = field(default_factory=list)
    """Verdicts that are not what the mix says they must be."""


async def run_overload(
    settings: Settings, mix: list[Mixed], advance: Callable[[int], None]
) -> list[Pass]:
    """Carry the mix out under each load and compare.

    Raises:
        InfrastructureError: No sandbox starts.
    """
    cpus, slots = usable_cpus(), settings.slots
    hogs = cpus * _HOGS_PER_CPU
    passes = [
        Pass("1x", slots, slots, 0),
        Pass(f"{FACTOR}x clients", slots, slots * FACTOR, hogs),
        Pass(f"{FACTOR}x runs", slots * FACTOR, slots * FACTOR, hogs),
    ]
    reference: list[Any] = []
    for one in passes:
        found = await _carry_out(settings, mix, one, advance)
        reference = reference or found
        for item, first, now in zip(mix, reference, found, strict=True):
            if now != first:
                one.different.append(f"{item.name}: {_shown(first)}, now {_shown(now)}")
            if item.expected is not None and now[0] != item.expected:
                one.unexpected.append(f"{item.name}: {item.expected} wanted, got {_shown(now)}")
    return passes


async def _carry_out(
    settings: Settings, mix: list[Mixed], one: Pass, advance: Callable[[int], None]
) -> list[Any]:
    found: list[Any] = [None] * len(mix)
    async with running_service(settings.model_copy(update={"slots": one.slots})) as service:

        async def verdict(index: int) -> None:
            result = await carry_out(service, mix[index].operation)
            found[index] = essence(result)
            one.statuses[status_of(result)] += 1
            advance(1)

        with hogs(one.hogs):
            started = time.perf_counter()
            await for_each(range(len(mix)), verdict, one.clients)
            one.seconds = time.perf_counter() - started
    one.verdicts = len(mix)
    return found


def essence(result: Result) -> tuple[Any, ...]:
    """Return what must not depend on load: all of a result but its usage and its messages.

    What a nondeterministic program was seen to return is no verdict either.
    """
    if "valid" in result:
        factor = result["determinism"]["broken_by"]
        return status_of(result), result["output"], factor, result["determinism"]["agree"]
    cases = result.get("cases")
    return (
        result["status"],
        result.get("correct"),
        result.get("score"),
        result.get("got"),
        None if cases is None else tuple((case["status"], case["correct"]) for case in cases),
    )


def _shown(one: tuple[Any, ...]) -> str:
    return " ".join(str(part)[:60] for part in one if part is not None)


@contextlib.contextmanager
def hogs(count: int) -> Iterator[None]:
    """Keep ``count`` processors busy with loops that end by themselves after fifteen minutes."""
    running = [
        subprocess.Popen([sys.executable, "-I", "-S", "-c", _HOG])  # noqa: S603
        for _ in range(count)
    ]
    try:
        yield
    finally:
        for process in running:
            process.kill()
        for process in running:
            process.wait()


def run(settings: Settings, mix: list[Mixed], advance: Callable[[int], None]) -> list[Pass]:
    """Run the passes in an event loop of their own."""
    return asyncio.run(run_overload(settings, mix, advance))
