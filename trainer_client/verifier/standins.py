"""Results that stand where the verifier gave none, in the very form of its own.

Whoever reads a status needs no second way to read: a text that the verifier does not take has the
status ``refused``, an item that it fails over each time has ``infra_error``.
"""

from typing import Any, Final

Result = dict[str, Any]

REFUSED: Final = "refused"
"""The status of an operation whose text the verifier does not take; it will not change its mind."""
INFRA_ERROR: Final = "infra_error"
"""The status that is no verdict: the service failed, and nothing is known."""


def refused(item: dict[str, Any], detail: str, field: str = "") -> Result:
    """Return the result of an item whose text was not taken.

    A verification is lost (``correct`` false, score 0) only when it is the answer that was refused;
    when it was the task, there is nothing to say of the answer (both None).
    """
    answer = "program" if item.get("mode") == "induction" else "answer"
    lost = field == answer
    return _result(item, REFUSED, detail, correct=False if lost else None)


def failed(item: dict[str, Any], detail: str) -> Result:
    """Return the result of an item that no verdict could be had for."""
    return _result(item, INFRA_ERROR, detail, correct=None)


def is_infra_error(result: Result) -> bool:
    """Tell whether a result, or any outcome of it, is trouble of the service's own."""
    if "outcomes" in result:
        return any(outcome.get("status") == INFRA_ERROR for outcome in result["outcomes"])
    return INFRA_ERROR in (result.get("status"), result.get("reason"))


def _result(item: dict[str, Any], status: str, detail: str, correct: bool | None) -> Result:
    usage = {"cpu_ms": 0.0, "wall_ms": 0.0, "max_rss_kb": 0}
    common = {
        "status": status,
        "message": detail,
        "retryable": status == INFRA_ERROR,
        "usage": usage,
    }
    if item.get("op") == "execute":
        error = {"type": "", "message": detail, "line": None}
        outcome = {
            "output": None, "value": None, "stdout": "", "stderr": "", "error": error,
        }  # fmt: skip
        return common | {"outcomes": [common | outcome for _ in item.get("inputs", ())]}
    if item.get("op") == "validate":
        nothing_run: Result = {
            "runs": 0, "agree": False, "varied": [], "broken_by": None, "observations": [],
        }  # fmt: skip
        return common | {
            "valid": False, "reason": status, "output": None, "value": None,
            "determinism": nothing_run,
        }  # fmt: skip
    return common | {
        "correct": correct,
        "score": None if correct is None else 0.0,
        "expected": None,
        "got": None,
        "cases": None,
    }
