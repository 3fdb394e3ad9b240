"""Why a peer's verdict differs from this service's: asked of the service, by class."""

import re
from typing import Any, Final

import httpx
from compare_scripts import Verdict
from compare_ways import limited
from compare_work import Item

_ERROR: Final = re.compile(r"^(?:[\w.]+\.)?(\w*(?:Error|Exception|Exit|Interrupt)\w*)")
_OURS: Final = {
    "invalid_answer": "the answer is an expression: others evaluate it, here it is refused",
    "refused: output": "the gold is an expression: others evaluate it, here it is refused",
    "refused: cases": "the gold is an expression: others evaluate it, here it is refused",
    "unsupported_value": "the value has no typed form here (a function, an iterator, an object)",
}


async def reason(http: httpx.AsyncClient, item: Item, ours: Verdict, theirs: Verdict) -> str:
    """Return the class of a difference, in words.

    Args:
        http: This service.
        item: The answer that was judged.
        ours: The service's verdict of it.
        theirs: A verdict that is not the same; not None.
    """
    if ours.correct is None:
        return f"no verdict here: {ours.status}"
    broken = await _broken_by(http, item)
    if broken:
        return f"nondeterministic ({broken})"
    if theirs.correct:
        if ours.status == "wrong" and await _equal_in_python(http, item):
            return "equal to == alone: True, 1 and 1.0, a set and a frozenset"
        known = [text for status, text in _OURS.items() if ours.status.startswith(status)]
        return known[0] if known else f"here: {ours.status}"
    if "nan" in f"{item.answer} {item.cases}":
        return "nan equals nan here"
    error = _ERROR.match(theirs.status)
    return f"there: {error.group(1) if error else theirs.status}"


async def _broken_by(http: httpx.AsyncClient, item: Item) -> str:
    """Return what the program's values depend on; empty where on nothing."""
    given = item.answer if item.mode == "abduction" else item.cases[0][0]
    body: dict[str, Any] = {
        "program": item.program, "imports": list(item.imports), "input": given,
        "policy": {"banned_modules": [], "banned_names": []},
    }  # fmt: skip
    answer = (await http.post("/v1/validate", json=limited(body))).json()
    return str((answer.get("determinism") or {}).get("broken_by") or "")


async def _equal_in_python(http: httpx.AsyncClient, item: Item) -> bool:
    body = limited(item.operation()) | {"equality": "python"}
    return bool((await http.post("/v1/verify", json=body)).json().get("correct"))
