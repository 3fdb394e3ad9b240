"""Typed programs: chains of operations whose kinds fit, their text, their runs, their traces."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from random import Random

from trainer_client.tiny.worlds.operation import Operation
from trainer_client.tiny.worlds.operations import FAMILIES
from trainer_client.tiny.worlds.values import Kind, Value, draw_value, is_small, literal

TRIES = 12
"""Inputs tried before a program that fails on them is given up."""


class Undefined(Exception):
    """A program fails on an input, or some value on the way is too large for this world."""


@dataclass(frozen=True)
class TypedProgram:
    """One operation after the other on ``x``; the last one's value is returned.

    Attributes:
        takes: the kind of its input.
        steps: at least one; each takes the kind that the one before gives.
    """

    takes: Kind
    steps: tuple[Operation, ...]

    @cached_property
    def source(self) -> str:
        """The Python text."""
        lines = ["def f(x):"]
        for place, step in enumerate(self.steps, start=1):
            ending = "return " if place == len(self.steps) else "x = "
            lines += [f"    {line}" for line in (*step.loop, ending + step.source)]
        return "\n".join(lines)

    def run(self, value: Value) -> list[Value]:
        """Return the input and what each step makes of the value before it.

        Raises:
            Undefined: a step fails or leaves this world.
        """
        values = [value]
        for step in self.steps:
            try:
                value = step.apply(value)
            except (IndexError, KeyError, ValueError):
                raise Undefined from None
            if not is_small(value):
                raise Undefined
            values.append(value)
        return values

    def forward(self, value: Value) -> str:
        """Write out a run: each step with its value, a loop with its variable's after each pass.

        Raises:
            Undefined: as for `run`.
        """
        values = self.run(value)
        lines = []
        for step, before, after in zip(self.steps, values, values[1:], strict=False):
            shown = [after] if step.passes is None else step.passes(before)
            lines.append(_line(step, shown))
        return "\n".join(lines)

    def backward(self, value: Value) -> str:
        """Write out a run from its end: each step with the value that it was given.

        Raises:
            Undefined: as for `run`.
        """
        before = self.run(value)[:-1]
        pairs = list(zip(self.steps, before, strict=True))
        return "\n".join(_line(step, [given]) for step, given in reversed(pairs))


def draw_typed_program(rng: Random, takes: Kind, steps: int) -> TypedProgram:
    """Draw a program of ``steps`` operations; it may be undefined on many inputs."""
    kind, chosen = takes, []
    for _ in range(steps):
        operation = rng.choice(rng.choice(FAMILIES[kind]))
        chosen.append(operation)
        kind = operation.result
    return TypedProgram(takes, tuple(chosen))


def draw_program_and_inputs(
    rng: Random, kinds: Sequence[Kind], steps: int, count: int
) -> tuple[TypedProgram, list[Value]]:
    """Draw a program and ``count`` different inputs that it is defined on.

    Args:
        rng: where the choices come from.
        kinds: of inputs, drawn from uniformly; each must have ``count`` values.
        steps: of the program.
        count: of the inputs.
    """
    while True:
        program = draw_typed_program(rng, rng.choice(kinds), steps)
        found: dict[str, Value] = {}
        for _ in range(TRIES + count):
            value = draw_value(rng, program.takes)
            try:
                program.run(value)
            except Undefined:
                continue
            found[literal(value)] = value
            if len(found) == count:
                return program, list(found.values())


def _line(step: Operation, values: Sequence[Value]) -> str:
    return f"{step.source}: {' '.join(map(literal, values))}"
