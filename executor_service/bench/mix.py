"""The mix of operations whose verdicts must not depend on load.

Tasks of the sample in all modes, right and wrong, and programs for every status, among them some
that come near a limit: they use a good part of their CPU or wall budget, so that a verifier which
mistook waiting for a processor for time used would time them out under load.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import cycle, islice
from typing import Any, Final

from executor_service.bench.drive import operation
from executor_service.bench.records import Sample
from executor_service.operations import AnyOperation

_ORDER_SEED: Final = 20_250_807
"""The order is arbitrary, and the same in every pass."""

_WORK: Final = """
import time
def f(seconds):
    start = time.process_time()
    while time.process_time() - start < seconds:
        pass
    return 1
"""
_SLEEP: Final = """
import time
def f(times, seconds):
    for _ in range(times):
        time.sleep(seconds)
    return 1
"""
_LOOP: Final = "def f(x):\n    while True:\n        x += 1"
_SETS: Final = "def f(x):\n    return list({'one', 'two', 'three', 'four', 'five', 'six'})"


@dataclass(frozen=True)
class Mixed:
    """One operation of the mix."""

    name: str
    operation: AnyOperation
    expected: str | None
    """The status it must have, where the mix itself knows."""


@dataclass(frozen=True)
class _Special:
    name: str
    weight: int
    """How many of 5,000 operations."""
    expected: str
    program: str
    input: str = "1"
    answer: str = "1"
    limits: tuple[tuple[str, float], ...] = ()
    replicas: int = 1
    op: str = "verify"

    def mixed(self) -> Mixed:
        body: dict[str, Any] = {"program": self.program, "input": self.input}
        body["limits"] = dict(self.limits)
        if self.op == "verify":
            body |= {"mode": "deduction", "answer": self.answer, "replicas": self.replicas}
        return Mixed(self.name, operation(self.op, **body), self.expected)


_SPECIALS: Final = (
    _Special("half a CPU budget", 40, "correct", _WORK, "0.1", limits=(("cpu_seconds", 0.2),)),
    _Special("CPU work within a short wall budget", 40, "correct", _WORK, "0.1",
             limits=(("cpu_seconds", 2), ("wall_seconds", 0.2))),
    _Special("a sleep within the wall budget", 40, "correct", _SLEEP, "1, 0.1",
             limits=(("wall_seconds", 0.3),)),
    _Special("twenty naps within the wall budget", 30, "correct", _SLEEP, "20, 0.01",
             limits=(("wall_seconds", 0.5),)),
    _Special("a sleep over the wall budget", 40, "timeout", _SLEEP, "1, 5",
             limits=(("wall_seconds", 0.2),)),
    _Special("an endless loop", 60, "timeout", _LOOP, limits=(("cpu_seconds", 0.1),)),
    _Special("an endless loop, wall budget", 20, "timeout", _LOOP,
             limits=(("cpu_seconds", 5), ("wall_seconds", 0.1))),
    _Special("an endless task", 20, "timeout", _LOOP, limits=(("cpu_seconds", 0.1),),
             op="validate"),
    _Special("too much memory", 30, "memory_limit", "def f(x):\n    return len('a' * 10**9)"),
    _Special("too long a value", 30, "output_limit", "def f(x):\n    return 'a' * 2_000_000"),
    _Special("too much printed", 30, "output_limit", "def f(x):\n    print('a' * 200_000)"),
    _Special("a thread", 30, "process_limit",
             "import threading\ndef f(x):\n    threading.Thread(target=print).start()"),
    _Special("a fork", 30, "process_limit", "import os\ndef f(x):\n    return os.fork()"),
    _Special("a socket", 8, "security_violation",
             "import socket\ndef f(x):\n    return socket.socket().fileno()"),
    _Special("an exception", 40, "runtime_error", "def f(x):\n    return x // 0"),
    _Special("endless recursion", 20, "runtime_error", "def f(x):\n    return f(x + 1)"),
    _Special("a generator", 30, "unsupported_value", "def f(x):\n    return (x for _ in 'ab')"),
    _Special("a syntax error", 30, "invalid_program", "def f(x:\n    return x"),
    _Special("no entry point", 30, "invalid_program", "def g(x):\n    return x"),
    _Special("a forbidden task", 30, "invalid_program", "import random\ndef f(x):\n    return x",
             op="validate"),
    _Special("no argument list", 30, "invalid_input", "def f(x):\n    return x", "1 +"),
    _Special("an answer that is code", 40, "invalid_answer", "def f(x):\n    return x",
             answer="__import__('os').getpid()"),
    _Special("set order", 40, "nondeterministic", _SETS, replicas=2),
    _Special("a set-order task", 20, "nondeterministic", _SETS, op="validate"),
    _Special("a task with state", 20, "nondeterministic",
             "seen = []\ndef f(x):\n    seen.append(x)\n    return len(seen)", op="validate"),
)  # fmt: skip


def _of_sample(index: int, task: Sample) -> Iterator[Mixed]:
    """Yield a sample task in every mode, with a right and a wrong answer."""
    common = {"program": task.program, "imports": task.imports}
    given, output = task.input, task.output
    name = f"sample {index}"
    wrong = "'not what the program returns'"
    yield Mixed(f"{name}, validate", operation("validate", input=given, **common), None)
    for answer, label in ((output, "right"), (wrong, "wrong")):
        yield Mixed(
            f"{name}, deduction, {label}",
            operation("verify", mode="deduction", input=given, answer=answer, **common),
            None,
        )
        yield Mixed(
            f"{name}, abduction, {label}",
            operation("verify", mode="abduction", output=answer, answer=given, **common),
            None,
        )
        cases = [{"input": given, "output": answer}, {"input": given, "output": output}]
        yield Mixed(
            f"{name}, induction, {label}",
            operation("verify", mode="induction", cases=cases, score="fraction", **common),
            None,
        )


def make_mix(tasks: list[Sample], count: int) -> list[Mixed]:
    """Return ``count`` operations in a fixed, arbitrary order."""
    mixed: list[Mixed] = []
    for special in _SPECIALS:
        mixed += [special.mixed()] * max(1, special.weight * count // 5000)
    ordinary = [one for index, task in enumerate(tasks) for one in _of_sample(index, task)]
    shuffle = random.Random(_ORDER_SEED)  # noqa: S311 - an order, not a secret
    shuffle.shuffle(ordinary)
    mixed += islice(cycle(ordinary), max(0, count - len(mixed)))
    shuffle.shuffle(mixed)
    return mixed[:count]
