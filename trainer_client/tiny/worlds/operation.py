"""`Operation`: one step of a typed program, as Python source beside a function of our own."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from trainer_client.tiny.worlds.values import Kind, Value

Apply = Callable[[Any], Value]
"""From the value of ``x`` to the result. Any: which kind of value it takes is said by the table
that the operation stands in."""


@dataclass(frozen=True)
class Operation:
    """One step.

    Attributes:
        source: an expression in ``x``, or in ``t`` after a loop.
        result: the kind of its value.
        apply: what it does; raises IndexError, KeyError or ValueError where Python does.
        loop: statements before the expression, which set ``t``.
        passes: with a loop, the values of ``t`` before the first pass and after each.
    """

    source: str
    result: Kind
    apply: Apply
    loop: tuple[str, ...] = ()
    passes: Callable[[Any], list[Value]] | None = None


def fold(
    result: Kind,
    start: tuple[str, Callable[[Any], Any]],
    over: tuple[str, Callable[[Any], Iterable[Any]]],
    body: tuple[str, Callable[[Any, Any], Any]],
) -> Operation:
    """Make a loop that folds ``x`` into ``t``.

    Args:
        result: the kind of ``t``.
        start: the source of ``t``'s first value, and that value from ``x``.
        over: the loop's head without ``for`` and colon, and what is run over, from ``x``.
        body: the source of ``t``'s next value, and that value from ``t`` and the item.
    """

    def passes(value: Any) -> list[Value]:
        total = start[1](value)
        seen = [total]
        for item in over[1](value):
            total = body[1](total, item)
            seen.append(total)
        return seen

    lines = (f"t = {start[0]}", f"for {over[0]}:", f"    t = {body[0]}")
    return Operation("t", result, lambda value: passes(value)[-1], lines, passes)
