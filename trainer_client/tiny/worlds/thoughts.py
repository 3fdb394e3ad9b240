"""Putting a thought into a response that has none."""

from trainer_client.parsing.markup import Markup


def with_thought(response: str, thought: str, markup: Markup) -> str:
    """Return the response with ``thought`` between its marks.

    Raises:
        ValueError: the thought holds a mark, which a reader would take for the response's own.
    """
    if any(mark in thought for mark in markup.all_marks()):
        raise ValueError(f"a mark of the prompts in a thought: {thought!r}")
    opening = "" if markup.think_opened_by_prompt else markup.think.open
    assert response.startswith(opening), "a response begins with its thought"
    return opening + thought + response.removeprefix(opening)
