"""What scripted samplers say: proposals in turn, and right or wrong answers about ``x + k``."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from random import Random

from trainer_client.parsing.markup import Part
from trainer_client.prompts.prompt_set import PromptSet
from trainer_client.records.kinds import Task
from trainer_client.records.problems import Case, InductionProblem, Triplet

MARKUP = PromptSet.load("tiny").markup
NONSENSE = "x = 1"
"""A response that is not in the asked form."""


def program(k: int) -> str:
    return f"def f(x):\n    return x + {k}"


def triplet(k: int, number: int) -> Triplet:
    return Triplet(program(k), str(number), str(number + k))


def induction(k: int, *numbers: int) -> InductionProblem:
    """The first half of the numbers is shown, the rest hidden."""
    cases = tuple(Case(str(n), str(n + k)) for n in numbers)
    half = len(cases) // 2
    return InductionProblem(program(k), "", cases[:half], cases[half:])


def proposal(source: str, given: str) -> str:
    """Return the response that proposes a triplet."""
    blocks = [MARKUP.block(Part.PROGRAM, source), MARKUP.block(Part.INPUT, given)]
    return MARKUP.response(blocks)


def inputs(*numbers: int) -> str:
    """Return the response that proposes an induction problem."""
    return MARKUP.response([MARKUP.block(Part.INPUT, str(number)) for number in numbers])


class Player:
    """Proposes each task's texts in turn and answers problems by their first visible number.

    Args:
        proposals: what is proposed for each task, again from the start after the last.
        answers: by task and number (deduction: the input, abduction: the output, induction: the
            first input shown): a letter for each time that the problem is asked, again from the
            start after the last: r a right answer, w a wrong one, x nonsense.
    """

    def __init__(
        self,
        proposals: Mapping[Task, Sequence[str]] | None = None,
        answers: Mapping[tuple[Task, int], str] | None = None,
    ) -> None:
        self._proposals = proposals or {}
        self._answers = answers or {}
        self._turns: Counter[object] = Counter()
        self.prompts: list[str] = []

    def __call__(self, prompt: str, rng: Random) -> str:
        self.prompts.append(prompt)
        found = re.match("<(propose|solve)_([a-z]+)>", prompt)
        assert found, prompt
        task = Task(found[2])
        if found[1] == "propose":
            texts = self._proposals.get(task, [NONSENSE])
            return texts[self._turn(task) % len(texts)]
        number, right, wrong = _answers(task, prompt)
        letters = self._answers.get((task, number), "r")
        letter = letters[self._turn(prompt) % len(letters)]
        if letter == "x":
            return NONSENSE
        return f"<think></think><answer>{right if letter == 'r' else wrong}</answer>"

    def _turn(self, what: object) -> int:
        self._turns[what] += 1
        return self._turns[what] - 1


def _answers(task: Task, prompt: str) -> tuple[int, str, str]:
    """Return the problem's number, the right answer and a wrong one."""
    values = {
        part: [int(text) for text in re.findall(f"<{part}>(-?[0-9]+)</{part}>", prompt)]
        for part in "io"
    }
    if task is Task.INDUCTION:
        k = values["o"][0] - values["i"][0]
        return values["i"][0], program(k), program(k + 1)
    k = int(prompt.partition("return x + ")[2].partition("<")[0])
    if task is Task.DEDUCTION:
        number = values["i"][0]
        return number, str(number + k), str(number + k + 1)
    number = values["o"][0]
    return number, str(number - k), str(number - k + 1)
