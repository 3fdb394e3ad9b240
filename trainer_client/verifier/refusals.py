"""Items that the verifier answers with a problem: a text's fault is data, our own is an error."""

from typing import Any, Final

from trainer_client.errors import VerifierError
from trainer_client.verifier.parcels import Parcel
from trainer_client.verifier.standins import Result, refused

TEXT_FIELDS: Final = frozenset({"program", "input", "inputs", "answer", "output", "cases"})
"""Where models' texts travel: programs, arguments and values. A text in one of them may be too long
or no literal. Every other field (``op``, ``mode``, ``limits`` ...) is written by our own code."""
_SIGNS: Final = {"execute": "outcomes", "validate": "valid", "verify": "status"}
"""What an operation's result has, and a problem in its place has not."""

Settled = Result | VerifierError
"""What became of an item: a result, or the caller's mistake."""


def settled(parcel: Parcel, answer: Any) -> Settled:
    """Return what the verifier's answer to one item amounts to.

    Raises:
        VerifierError: it is neither a result nor a problem.
    """
    if isinstance(answer, dict):
        if _SIGNS.get(parcel.op) in answer:
            return answer
        problem = answer.get("error")
        if isinstance(problem, dict):
            return _of_problem(parcel.item, problem)
    raise VerifierError(
        "the verifier's answer to an item is neither a result nor a problem; "
        "does it speak version 1 of the contract?"
    )


def _of_problem(item: dict[str, Any], problem: dict[str, Any]) -> Settled:
    detail = str(problem.get("detail", problem))
    errors = problem.get("errors") or [problem]
    fields = [str(error.get("field") or "") for error in errors]
    if all(_is_text(item, field) for field in fields):
        return refused(item, detail, fields[0])
    return VerifierError(f"the verifier does not take a {item.get('op')} item: {detail}")


def _is_text(item: dict[str, Any], field: str) -> bool:
    """Tell whether a field (``cases.0.output``) is a text of the item.

    A field that is missing or of another type is there by our mistake, whatever its name.
    """
    parts = field.split(".")
    if parts[0] not in TEXT_FIELDS:
        return False
    value: Any = item
    for part in parts:
        if isinstance(value, dict):
            value = value.get(part)
        elif isinstance(value, list) and part.isdigit() and int(part) < len(value):
            value = value[int(part)]
        else:
            return False
    return isinstance(value, str)
