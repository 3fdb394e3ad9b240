"""What differs between zygotes: the determinism variant, and the modules imported ahead of time.

A *variant* is one combination of the factors that must not change an answer: hash seed, process
layout, clock and environment. A *flavour* is a set of modules already imported, so that a program
that uses them pays no import. Both are part of the wire format by their position in these tables.

Named tuples, not dataclasses: every module that a zygote imports is paid for by every fork.
"""

import re
from typing import Final, NamedTuple

FAKETIME_LIBRARIES: Final = (
    "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1",
    "/usr/lib/aarch64-linux-gnu/faketime/libfaketime.so.1",
    "/usr/lib/faketime/libfaketime.so.1",
)
CLOCK_SHIFT_SECONDS: Final = 7 * 365 * 86_400 + 5 * 3600 + 1234
"""How far ahead the second zygote's clock runs: another year, month, weekday, hour and minute."""


class Variant(NamedTuple):
    """One combination of the factors that determinism is checked over."""

    name: str
    hash_seed: int
    environment: dict[str, str]
    shift_clock: bool


USUAL_ENVIRONMENT: Final = {
    "HOME": "/tmp",  # noqa: S108 - the sandbox's own empty tmpfs
    "LANG": "C.UTF-8",
    "LC_ALL": "C.UTF-8",
    "PATH": "/usr/bin:/bin",
    "TZ": "UTC",
    "USER": "sandbox",
    "LOGNAME": "sandbox",
}
OTHER_ENVIRONMENT: Final = {
    "HOME": "/",
    "LANG": "POSIX",
    "LC_ALL": "C.UTF-8",
    "PATH": "/bin:/usr/bin:/usr/local/bin",
    "TZ": "Pacific/Chatham",
    "USER": "nobody",
    "LOGNAME": "nobody",
    "TERM": "dumb",
    "COLUMNS": "132",
    "EDITOR": "ed",
}

VARIANTS: Final = (
    Variant("usual", 1, USUAL_ENVIRONMENT, shift_clock=False),
    Variant("other", 20_771, OTHER_ENVIRONMENT, shift_clock=True),
    # The same in everything that can be set: only pid, addresses and random bytes differ. It is
    # started when a disagreement has to be explained.
    Variant("repeat", 1, USUAL_ENVIRONMENT, shift_clock=False),
    # Further hash seeds, for programs that may depend on one: two seeds order a set of two
    # elements alike half of the time. Their zygotes are started by the first such program.
    Variant("third seed", 5_381, USUAL_ENVIRONMENT, shift_clock=False),
    Variant("fourth seed", 104_729, USUAL_ENVIRONMENT, shift_clock=False),
)
USUAL: Final = 0
OTHER: Final = 1
REPEAT: Final = 2
FURTHER_SEEDS: Final = (3, 4)


class Flavour(NamedTuple):
    """Modules that a zygote imports before it forks."""

    name: str
    modules: tuple[str, ...]


_CORE = (
    "bisect", "collections", "collections.abc", "copy", "functools", "heapq", "itertools", "json",
    "math", "operator", "re", "string", "typing",
)  # fmt: skip
_RICH = (
    "abc", "array", "base64", "calendar", "cmath", "contextlib", "dataclasses", "datetime",
    "decimal", "enum", "fractions", "hashlib", "inspect", "numbers", "queue", "random",
    "statistics", "textwrap", "threading", "unicodedata",
)  # fmt: skip
_SCIENCE = ("numpy", "sympy")

FLAVOURS: Final = (
    Flavour("core", _CORE),
    Flavour("rich", _CORE + _RICH),
    Flavour("science", _CORE + _RICH + _SCIENCE),
)

_FLAVOUR_OF: Final = dict.fromkeys(_SCIENCE, 2) | dict.fromkeys(_RICH, 1)
_IMPORT: Final = re.compile(r"(?:^|[;:\n])[ \t]*(?:from[ \t]+(\w+)|import[ \t]+([\w., \t]+))")


def choose_flavour(source: str) -> int:
    """Return the index in ``FLAVOURS`` whose modules cover what ``source`` seems to import.

    A scan of the text, not a parse: a wrong guess costs an import or a few forks, never a verdict.
    """
    if "import" not in source:
        return 0
    best = 0
    for from_name, names in _IMPORT.findall(source):
        for name in (from_name or names).split(","):
            root = name.strip().partition(" ")[0].partition(".")[0]
            best = max(best, _FLAVOUR_OF.get(root, 0))
    return best
