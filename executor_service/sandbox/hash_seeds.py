"""Which hash seeds a program must be run under before it counts as deterministic."""

import re
from typing import Any, Final

from executor_service.sandbox.runner.variants import FURTHER_SEEDS, OTHER, USUAL
from executor_service.sandbox.runs import RunRequest

_HASHED: Final = re.compile(
    r"\b(?:set|frozenset|hash)\b|\.(?:keys|items)\(\)\s*[&|^-]|\{[^:{}]*[^:{}\s][^:{}]*\}"
)
_SETS: Final = frozenset({"set", "frozenset"})


def judging_variants(request: RunRequest) -> tuple[int, ...]:
    """Return the variants whose agreement makes ``request`` deterministic, the usual one first."""
    if may_depend_on_hash(request):
        return (USUAL, OTHER, *FURTHER_SEEDS)
    return (USUAL, OTHER)


def may_depend_on_hash(request: RunRequest) -> bool:
    """Tell whether a request mentions what hash seeds can change: sets and ``hash``.

    A scan of the text that errs on the side of yes: braces without a colon are a set, or a
    formatted string's field. Only the number of seeds tried depends on it.
    """
    texts = (request.program, *request.imports, request.expression or "")
    if any(_HASHED.search(text) for text in texts):
        return True
    return _holds_a_set([request.args, request.kwargs])


def _holds_a_set(values: list[Any]) -> bool:
    """Tell whether typed arguments contain a set; bounded by the parser's own bounds."""
    stack = values
    while stack:
        node = stack.pop()
        if isinstance(node, dict):
            if node.get("t") in _SETS:
                return True
            stack.extend(part for part in node.values() if isinstance(part, list | tuple | dict))
        else:
            stack.extend(part for part in node if isinstance(part, list | tuple | dict))
    return False
