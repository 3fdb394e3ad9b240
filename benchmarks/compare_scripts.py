"""How trainers judge with a server that runs scripts: the script, and the verdict from its end.

Both ways are in use. By *exit status* (tinker-cookbook, code-r1, verl's ``assert_case``): the
answer stands in an ``assert``, and exit status 0 is a right answer. By *stdout* (verl's cases,
open-r1): the script prints the value, and the trainer compares texts.
"""

from typing import Final, Literal, NamedTuple

from compare_work import Item

JudgedBy = Literal["exit status", "stdout"]
JUDGED_BY: Final[tuple[JudgedBy, ...]] = ("exit status", "stdout")


class Verdict(NamedTuple):
    """What one way made of one answer.

    Attributes:
        correct: None: no verdict, for a reason that is not the answer's.
        status: In a word or two: a status, or the last line of what went wrong.
    """

    correct: bool | None
    status: str


class End(NamedTuple):
    """How a script ended: exit status (None: killed), and its output."""

    code: int | None
    stdout: str
    said: str
    """``timeout``, a signal, or stderr."""


def script(item: Item, judged_by: JudgedBy) -> str:
    """Return the script that judges an answer: everything pasted together as text, as is usual."""
    given, output = item.cases[0]
    pairs = [(f"f({given})", output) for given, output in item.cases]
    if item.mode == "deduction":
        pairs = [(f"f({given})", item.answer)]
    elif item.mode == "abduction":
        pairs = [(f"f({item.answer})", output)]
    if judged_by == "stdout":
        ends = [f"print(repr({call}))" for call, _ in pairs]
    elif item.mode == "abduction":
        ends = [f"assert {gold} == {call}" for call, gold in pairs]  # AZR's order
    else:
        ends = [f"assert {call} == {wanted}" for call, wanted in pairs]
    return "\n".join((*item.imports, item.program, *ends)) + "\n"


def verdict(item: Item, judged_by: JudgedBy, end: End) -> Verdict:
    """Return what a trainer makes of the end of a script."""
    lines = end.said.strip().splitlines()
    if end.code != 0:
        return Verdict(False, lines[-1][:200] if lines else f"exit status {end.code}")
    if judged_by == "exit status":
        return Verdict(True, "exit status 0")
    wanted = [item.answer] if item.mode == "deduction" else [output for _, output in item.cases]
    same = end.stdout.rstrip("\n") == "\n".join(wanted).rstrip("\n")
    return Verdict(same, "the text agrees" if same else "another text")
