"""Deduction: given program and input, say the output (AZR's code_o)."""

from typing import Any

from trainer_client.buffers.program_text import shown_program
from trainer_client.parsing.extraction import lone_value
from trainer_client.parsing.markup import Markup, Part
from trainer_client.records.kinds import Task
from trainer_client.records.problems import Problem
from trainer_client.tasks.kind import Item, VerifyRules
from trainer_client.tasks.triplets import TripletTask, triplet


class Deduction(TripletTask):
    """The answer is a literal, judged against the output that validation saw; nothing is run."""

    task = Task.DEDUCTION

    def solve_variables(self, problem: Problem) -> dict[str, Any]:
        """Show the program and the input."""
        found = triplet(problem)
        return {"program": shown_program(found), "input": found.input}

    def parse_answer(self, response: str, markup: Markup) -> str:
        """Read the output."""
        return lone_value(response, markup, Part.OUTPUT)

    def verification(self, problem: Problem, answer: str, rules: VerifyRules) -> Item:
        """Compare the answer with the known output."""
        found = triplet(problem)
        return {
            "op": "verify",
            "mode": "deduction",
            "program": found.program,
            "imports": list(found.imports),
            "input": found.input,
            "output": found.output,
            "answer": answer,
            **rules.verify(),
        }

    def demonstration(self, problem: Problem, markup: Markup) -> str:
        """Answer with the output."""
        return markup.lone_answer(Part.OUTPUT, triplet(problem).output)
