"""The demo's world: programs of one to three string operations on a short text over a to f.

    def f(x):
        x = x[::-1]
        return x + 'c'

`Program.run` is an interpreter of these operations that we wrote; no program text is ever parsed
or executed here. A test holds it against the verifier. The warm-up corpus and the held-out problems
are drawn from this grammar; self-play afterwards is free to leave it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import permutations
from random import Random

LETTERS = "abcdef"
"""The alphabet of inputs and of the operations' constants."""

INPUT_LENGTHS = range(2, 6)
"""Lengths of a drawn input; an input of the held-out problems as well."""


@dataclass(frozen=True)
class Operation:
    """One step: its expression in ``x`` and what it does to a text."""

    source: str
    apply: Callable[[str], str]


@dataclass(frozen=True)
class Program:
    """One operation to a line, in order; the last one is returned."""

    steps: tuple[Operation, ...]

    @cached_property
    def source(self) -> str:
        """The Python text."""
        *first, last = self.steps
        lines = [f"    x = {step.source}" for step in first]
        return "\n".join(["def f(x):", *lines, f"    return {last.source}"])

    def run(self, text: str) -> str:
        """Return what the program makes of ``text``."""
        for step in self.steps:
            text = step.apply(text)
        return text


def _append(letter: str) -> Operation:
    return Operation(f"x + '{letter}'", lambda text: text + letter)


def _prepend(letter: str) -> Operation:
    return Operation(f"'{letter}' + x", lambda text: letter + text)


def _replace(old: str, new: str) -> Operation:
    return Operation(f"x.replace('{old}', '{new}')", lambda text: text.replace(old, new))


FAMILIES: tuple[tuple[Operation, ...], ...] = (
    (Operation("x[::-1]", lambda text: text[::-1]),),
    (Operation("x.upper()", str.upper),),
    (Operation("x[1:]", lambda text: text[1:]),),
    (Operation("x[:-1]", lambda text: text[:-1]),),
    (Operation("x * 2", lambda text: text * 2),),
    tuple(_append(letter) for letter in LETTERS),
    tuple(_prepend(letter) for letter in LETTERS),
    tuple(_replace(old, new) for old, new in permutations(LETTERS, 2)),
)
"""The eight kinds of operation with their variants; a kind is drawn first, then a variant."""


def draw_program(rng: Random, steps: int) -> Program:
    """Draw a program of ``steps`` operations."""
    return Program(tuple(rng.choice(rng.choice(FAMILIES)) for _ in range(steps)))


def draw_input(rng: Random) -> str:
    """Draw a text, without quotes."""
    return "".join(rng.choices(LETTERS, k=rng.choice(INPUT_LENGTHS)))


def draw_inputs(rng: Random, count: int) -> list[str]:
    """Draw ``count`` different texts."""
    chosen: dict[str, None] = {}
    while len(chosen) < count:
        chosen[draw_input(rng)] = None
    return list(chosen)


def draw_steps(rng: Random, weights: Sequence[float]) -> int:
    """Draw a number of steps; ``weights[i]`` is the weight of i + 1 steps."""
    return rng.choices(range(1, len(weights) + 1), weights)[0]


def literal(text: str) -> str:
    """Return the Python literal of a text of the grammar, as `repr` writes it.

    Raises:
        ValueError: the text holds anything but letters, so that a quote cannot slip in.
    """
    if text and not text.isalpha():
        raise ValueError(f"not a text of the grammar: {text!r}")
    return f"'{text}'"
