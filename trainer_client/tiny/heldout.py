"""Problems kept out of all training: drawn from the grammar, fixed by a seed, refused by the loop.

A held-out problem is kept out by its pairs. Deduction and induction keep (program, input) out of
warm-up and self-play alike; abduction keeps (program, output) out, since any input that gives the
output would be the same problem. Programs as such are not kept out: the grammar has only 47 of one
step. Self-play asks `HeldOut.holds` of each problem it is about to put into a buffer.
"""

from collections.abc import Callable, Mapping, Sequence
from random import Random

from trainer_client.buffers.program_text import normalised
from trainer_client.records.kinds import Task
from trainer_client.records.problems import Case, InductionProblem, Problem, Triplet
from trainer_client.seeds import generator
from trainer_client.tiny.grammar import (
    Program,
    draw_inputs,
    draw_program,
    draw_steps,
    literal,
)

DrawProblem = Callable[[Random, Task, Sequence[float]], Problem]
"""Draws one problem with its gold answer; the weights are those of 1, 2, ... steps."""

GIVEN_CASES = 3
"""Cases of an induction problem that the solver sees; as many again are hidden."""


class HeldOut:
    """The problems of one evaluation and the pairs that must not be trained on."""

    def __init__(self, problems: Mapping[Task, Sequence[Problem]]) -> None:
        self.problems = {task: tuple(those) for task, those in problems.items()}
        self._pairs: set[tuple[str, str]] = set()
        self._images: set[tuple[str, str]] = set()
        for task, those in self.problems.items():
            for problem in those:
                program = normalised(problem.program)
                if task is Task.ABDUCTION and isinstance(problem, Triplet):
                    self._images.add((program, problem.output))
                self._pairs.update((program, given) for given, _ in _pairs(problem))

    def holds(self, problem: Problem) -> bool:
        """Whether training on ``problem`` would show the answer to a held-out one."""
        program = normalised(problem.program)
        return any(
            (program, given) in self._pairs or (program, made) in self._images
            for given, made in _pairs(problem)
        )


def draw_held_out(
    seed: int,
    count: int,
    step_weights: Sequence[float],
    tasks: Sequence[Task],
    draw: DrawProblem | None = None,
) -> HeldOut:
    """Draw ``count`` different problems for each task; ``step_weights`` as in `draw_steps`.

    They are drawn by `draw_problem` unless another world's function is given.
    """
    draw = draw or draw_problem
    problems: dict[Task, list[Problem]] = {}
    for task in tasks:
        rng = generator(seed, 0, f"held-out/{task}")
        chosen: dict[tuple[str, ...], Problem] = {}
        while len(chosen) < count:
            problem = draw(rng, task, step_weights)
            chosen[_question(task, problem)] = problem
        problems[task] = list(chosen.values())
    return HeldOut(problems)


def draw_problem(rng: Random, task: Task, step_weights: Sequence[float]) -> Problem:
    """Draw one problem of the grammar with its gold answer."""
    program = draw_program(rng, draw_steps(rng, step_weights))
    if task is Task.INDUCTION:
        cases = tuple(_case(program, text) for text in draw_inputs(rng, 2 * GIVEN_CASES))
        return InductionProblem(
            program.source, "", given=cases[:GIVEN_CASES], hidden=cases[GIVEN_CASES:]
        )
    (text,) = draw_inputs(rng, 1)
    case = _case(program, text)
    return Triplet(program.source, case.input, case.output)


def _case(program: Program, text: str) -> Case:
    return Case(literal(text), literal(program.run(text)))


def _pairs(problem: Problem) -> list[tuple[str, str]]:
    """Return the (input, output) pairs that a problem shows or asks for."""
    if isinstance(problem, InductionProblem):
        return [(case.input.strip(), case.output) for case in (*problem.given, *problem.hidden)]
    return [(problem.input.strip(), problem.output)]


def _question(task: Task, problem: Problem) -> tuple[str, ...]:
    """Return what the solver is asked, so that no question is asked twice."""
    if isinstance(problem, InductionProblem):
        return tuple(part for case in problem.given for part in (case.input, case.output))
    return problem.program, problem.output if task is Task.ABDUCTION else problem.input
