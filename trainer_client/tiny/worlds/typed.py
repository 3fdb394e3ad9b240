"""The bigger demo's world: typed programs of one to four steps, with written-out runs if wanted."""

from collections.abc import Sequence
from random import Random

from trainer_client.records.kinds import Task
from trainer_client.records.problems import Case, InductionProblem, Triplet
from trainer_client.tiny.grammar import draw_steps
from trainer_client.tiny.heldout import GIVEN_CASES
from trainer_client.tiny.worlds.programs import TypedProgram, draw_program_and_inputs
from trainer_client.tiny.worlds.values import Kind, Value, literal
from trainer_client.tiny.worlds.world import Drawn

KINDS = (
    *(Kind.INT, Kind.STR, Kind.INTS, Kind.STRS, Kind.TUPLE, Kind.DICT) * 3,
    Kind.BOOL,
)
"""Kinds of inputs, by how often they are drawn. There are only two of bool, and nearly all of the
problems about them are soon known."""

MANY_VALUED = tuple(kind for kind in KINDS if kind is not Kind.BOOL)
"""Those of which there are enough values for the cases of an induction problem."""


class TypedWorld:
    """Programs of `trainer_client.tiny.worlds.programs`."""

    pieces: Sequence[str] = (
        *("def f(x):\n", "    x = ", "    return ", "    t = ", "    for ", "        t = "),
        *("[::-1]", "[1:]", "[:-1]", "[0]", "[-1]", ".upper()", ".replace('", "', '", "')"),
        *(".count(", ".find(", ".split(", ".join(", ".get(", ".items()", ".values()"),
        *("len(", "sum(", "max(", "min(", "abs(", "int(", "str(", "list(", "tuple(", "sorted("),
        *("range(", " for ", " in ", " if ", " else ", " == ", " > ", " // ", " % ", "not x"),
        *(" + ", " - ", " * ", " | ", "True", "False", ", ", ": ", "', ", "': "),
    )
    held_out_steps: Sequence[float] = (1, 1, 1, 1)
    """The warm-up has seen none with 4."""

    def __init__(self, *, traces: bool) -> None:
        """Choose whether solvers write out how they come to their answers."""
        self._traces = traces

    def draw(self, rng: Random, task: Task, step_weights: Sequence[float]) -> Drawn:
        """Draw one problem, and how its solver thinks.

        Deduction writes the run down forwards, abduction backwards (the input that was drawn is
        one of the right ones), induction the run of its first case.
        """
        steps = draw_steps(rng, step_weights)
        if task is Task.INDUCTION:
            program, values, cases = _telling(rng, steps)
            problem = InductionProblem(
                program.source, "", given=cases[:GIVEN_CASES], hidden=cases[GIVEN_CASES:]
            )
            return Drawn(problem, program.forward(values[0]) if self._traces else "")
        program, (value,) = draw_program_and_inputs(rng, KINDS, steps, 1)
        case = _case(program, value)
        triplet = Triplet(program.source, case.input, case.output)
        if not self._traces:
            return Drawn(triplet)
        backwards = task is Task.ABDUCTION
        return Drawn(triplet, program.backward(value) if backwards else program.forward(value))


def _telling(rng: Random, steps: int) -> tuple[TypedProgram, list[Value], tuple[Case, ...]]:
    """Draw a program and cases that say something of it: their outputs are not all the same."""
    while True:
        program, values = draw_program_and_inputs(rng, MANY_VALUED, steps, 2 * GIVEN_CASES)
        cases = tuple(_case(program, value) for value in values)
        if len({case.output for case in cases[:GIVEN_CASES]}) > 1:
            return program, values, cases


def _case(program: TypedProgram, value: Value) -> Case:
    return Case(literal(value), literal(program.run(value)[-1]))
