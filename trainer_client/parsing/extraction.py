"""Finding the answer in a response and the blocks in an answer.

Strict on purpose: whoever may write a second block, a mark within a value, or text after the answer
can make the reader see another answer than the one meant. Each text is scanned a fixed number of
times, whatever is in it.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from trainer_client.errors import FormatError
from trainer_client.parsing.markup import Markup, Part


@dataclass(frozen=True)
class Wanted:
    """How many blocks of a part an answer must hold: from ``least`` to ``most``."""

    least: int = 1
    most: int = 1


ONE = Wanted()
"""Exactly one block."""

MAX_VALUE_CHARS = 100_000
"""Characters of a longest value: what a verifier takes as a program, and more than any use."""


def extract_answer(response: str, markup: Markup) -> str:
    """Return what stands between the answer's marks.

    Raises:
        FormatError: the response is not one thought, then one answer, then nothing.
    """
    text = markup.think.open + response if markup.think_opened_by_prompt else response
    think, answer = markup.think, markup.answer
    for mark in (think.open, think.close.strip(), answer.open, answer.close.strip()):
        found = text.count(mark)
        if found != 1:
            raise FormatError(f"{mark.strip()} stands {found} times in the response, not once")
    before, _, rest = text.partition(think.open)
    _, closed, rest = rest.partition(think.close.strip())
    between, opened, rest = rest.partition(answer.open)
    inside, ended, after = rest.partition(answer.close.strip())
    if not (closed and opened and ended):
        raise FormatError("the marks of thought and answer are out of order")
    if before.strip() or between.strip():
        raise FormatError("there is text outside of thought and answer")
    if after.strip():
        raise FormatError("there is text after the answer")
    return inside


def blocks(answer: str, markup: Markup, wanted: Mapping[Part, Wanted]) -> dict[Part, list[str]]:
    """Return the values of the blocks in an answer, by part, in order.

    Words between the blocks are ignored; a mark outside of the wanted blocks is an error.

    Raises:
        FormatError: too few or too many blocks of a part, a block that was not asked for or does
            not end, or a value that no prompt could hold.
    """
    openings = {markup.part(part).open: part for part in Part}
    found: dict[Part, list[str]] = {part: [] for part in wanted}
    current: Part | None = None
    start = 0
    for match in _any_mark(markup).finditer(answer):
        mark = match.group()
        if current is None:
            current = openings.get(mark)
            if current not in found:
                raise FormatError(f"{mark.strip()} in the answer was not asked for")
            if len(found[current]) == wanted[current].most:
                raise FormatError(f"more than {wanted[current].most} blocks of the {current}")
            start = match.end()
        elif mark == markup.part(current).close.strip():
            found[current].append(checked_value(answer[start : match.start()], current, markup))
            current = None
        else:
            raise FormatError(f"{mark.strip()} within the block of the {current}")
    if current is not None:
        raise FormatError(f"the block of the {current} does not end")
    for part, count in wanted.items():
        if len(found[part]) < count.least:
            raise FormatError(f"{len(found[part])} blocks of the {part}, not {count.least}")
    return found


def lone_value(response: str, markup: Markup, part: Part) -> str:
    """Return a solver's answer: the one value of the one part asked for.

    Raises:
        FormatError: as for `extract_answer` and `blocks`.
    """
    answer = extract_answer(response, markup)
    if markup.bare_answers:
        return checked_value(answer, part, markup)
    return blocks(answer, markup, {part: ONE})[part][0]


def checked_value(text: str, part: Part, markup: Markup) -> str:
    """Return a block's value without the layout around it.

    Raises:
        FormatError: it is empty, too long, or could forge a later prompt that shows it.
    """
    value = text.strip("\r\n").rstrip() if part is Part.PROGRAM else text.strip()
    if len(value) > MAX_VALUE_CHARS:
        raise FormatError(f"the {part} has {len(value)} characters, more than {MAX_VALUE_CHARS}")
    if not value and part not in (Part.INPUT, Part.MESSAGE):
        raise FormatError(f"the {part} is empty")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise FormatError(f"the {part} is not Unicode text") from None
    # A mark that begins a line (a speaker's name) may also begin the value.
    line = f"\n{value}"
    for mark in markup.barred():
        if mark in line:
            raise FormatError(f"the {part} contains {mark.strip()!r}, a mark of the prompts")
    return value


@lru_cache(maxsize=64)
def _any_mark(markup: Markup) -> re.Pattern[str]:
    # An alternation of literals: it never backtracks further than the length of a mark. The
    # longest come first, so that an opening fence is not taken for the closing one within it.
    marks = sorted((mark for mark in markup.all_marks() if mark not in markup.frame), key=len)
    return re.compile("|".join(re.escape(mark) for mark in reversed(marks)))
