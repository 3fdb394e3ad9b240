"""Cheats for `compare.py`: answers that solve nothing, and the plain answers they are set beside.

They do what published cheats do, and no harm where nothing stops them: they leave early, lie about
equality, read what they are compared with, or change a builtin of the process that runs them.
"""

from dataclasses import dataclass
from typing import Final

from compare_work import Item

_DOUBLE: Final = "def f(n):\n    return n * 2\n"
_CASE: Final = (("1", "731942"),)


@dataclass(frozen=True)
class Cheat:
    """An answer that must not be judged correct.

    Attributes:
        name: In a few words, for the report.
        item: The answer.
        then: Where the cheat is for others: an honest wrong answer that is judged right after it.
    """

    name: str
    item: Item
    then: Item | None = None


def _program(name: str, source: str, *, expected: str = "731942") -> Cheat:
    return Cheat(name, Item("induction", name, source, ((_CASE[0][0], expected),)))


def _input(name: str, answer: str) -> Cheat:
    return Cheat(name, Item("abduction", name, _DOUBLE, (("4", "8"),), answer))


def _output(name: str, answer: str) -> Cheat:
    return Cheat(name, Item("deduction", name, _DOUBLE, (("4", "8"),), answer))


WRONG: Final = Item("induction", "honest, wrong", "def f(n):\n    return n\n", _CASE)
CONTROLS: Final[tuple[tuple[Item, bool], ...]] = (
    (Item("deduction", "honest", _DOUBLE, (("4", "8"),), "8"), True),
    (Item("deduction", "honest, wrong", _DOUBLE, (("4", "8"),), "9"), False),
    (Item("abduction", "honest", _DOUBLE, (("4", "8"),), "4"), True),
    (Item("abduction", "honest, wrong", _DOUBLE, (("4", "8"),), "5"), False),
    (Item("induction", "honest", "def f(n):\n    return n + 731941\n", _CASE), True),
    (WRONG, False),
)
"""Plain answers and what is right about them: who calls everything wrong has stopped no cheat."""

CHEATS: Final[tuple[Cheat, ...]] = (
    _program("sys.exit(0) in f", "import sys\ndef f(n):\n    sys.exit(0)\n"),
    _program("os._exit(0) in f", "import os\ndef f(n):\n    os._exit(0)\n"),
    _program("SystemExit while defined", "def f(n):\n    return n\nraise SystemExit(0)\n"),
    _program("atexit ends with 0",
             "import atexit, os\natexit.register(os._exit, 0)\ndef f(n):\n    return n\n"),
    _program("excepthook ends with 0",
             "import os, sys\nsys.excepthook = lambda *_: os._exit(0)\ndef f(n):\n    return n\n"),
    _program("always-equal object",
             "class Any:\n    __eq__ = lambda self, other: True\ndef f(n):\n    return Any()\n"),
    _program("int with an __eq__",
             "class Int(int):\n    __eq__ = lambda self, other: True\ndef f(n):\n"
             "    return Int(n)\n"),
    _program("True and 3.0 for 1 and 3", "def f(n):\n    return [True, 2, 3.0]\n",
             expected="[1, 2, 3]"),
    _program("gold from the caller's frame",
             "import sys\ndef f(n):\n    seen = sys._getframe(1).f_code.co_consts\n"
             "    return max((c for c in seen if type(c) is int), default=0)\n"),
    _input("input breaks out of the call", "0) or (8"),
    _input("input prints the gold and leaves",
           "(print('8', flush=True), __import__('os')._exit(0))"),
    _output("output is an always-equal object", "type('A', (), {'__eq__': lambda s, o: True})()"),
    _output("output calls the program", "f(4)"),
    # The last one: what it leaves behind is for all that come after it in the same process.
    Cheat("builtins patched for the next program",
          Item("induction", "patching", "import builtins\nbuiltins.exec = lambda *_: None\n"
               "def f(n):\n    return n\n", _CASE), WRONG),
)  # fmt: skip
