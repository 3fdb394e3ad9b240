"""Graders from the plain options that a trainer's configuration can hold."""

from functools import lru_cache
from typing import Any

from trainer_client.adapters.answer_form import Thought
from trainer_client.adapters.grader import Grader, Scale

OPTIONS = ("verifier", "form", "thought", "correct", "wrong", "bad_format")
"""The options; a trainer's other keywords are not ours and are ignored."""


@lru_cache(maxsize=16)
def grader(
    verifier: str | None = None,
    form: str = "azr",
    thought: Thought | None = None,
    correct: float = 1.0,
    wrong: float = 0.0,
    bad_format: float = 0.0,
) -> Grader:
    """Return this process's grader for these options.

    Args:
        verifier: the base URL; None: the environment variable VERIFIER_URL, else port 8000 here.
        form: the name or the directory of the prompt set whose form answers have.
        thought: see `AnswerForm`.
        correct: see `Scale`, as the two that follow.
        wrong: of any verdict but correct.
        bad_format: of a completion that is not in the form.

    Raises:
        DataError: there is no such prompt set.

    Example:
        >>> from trainer_client.adapters.options import grader
        >>> grader(wrong=-0.5) is grader(wrong=-0.5)
        True
    """
    return Grader(verifier, form=form, thought=thought, scale=Scale(correct, wrong, bad_format))


def grader_of(keywords: dict[str, Any]) -> Grader:
    """Return the grader for those of a call's keywords that are options."""
    return grader(**{name: value for name, value in keywords.items() if name in OPTIONS})
