"""The JSON forms of results: of execute, of validate, and of trouble of our own."""

from base64 import b64encode
from typing import Any

from executor_service.operations import (
    AnyOperation,
    ExecuteOperation,
    ScriptOperation,
    ValidateOperation,
)
from executor_service.sandbox.runs import RunError, RunResult, Usage
from executor_service.sandbox.scripts import ScriptResult
from executor_service.typed.render import render
from executor_service.verifier import determinism, verdicts
from executor_service.verifier.verdicts import usage_dict

Result = dict[str, Any]


def infrastructure_result(operation: AnyOperation, message: str) -> Result:
    """Return the result of any operation that failed for a reason of ours: no score, try again."""
    if isinstance(operation, ExecuteOperation):
        return {"outcomes": [infra_outcome(message) for _ in operation.inputs]}
    if isinstance(operation, ValidateOperation):
        return not_run("infra_error", message, retryable=True)
    if isinstance(operation, ScriptOperation):
        return script(ScriptResult("infra_error", message))
    return verdicts.infrastructure(message).as_dict()


def outcome(run: RunResult, usage: Usage) -> Result:
    """Return one outcome of execute."""
    error = run.error
    value = run.values[0] if run.status == "ok" else None
    return {
        "status": run.status,
        "output": None if value is None else render(value),
        "value": value,
        "stdout": run.stdout,
        "stderr": run.stderr,
        "error": None
        if error is None
        else {"type": error.type, "message": error.message, "line": error.line},
        "usage": usage_dict(usage),
    }


def infra_outcome(message: str) -> Result:
    """Return the outcome of a run that never was, for a reason of ours."""
    return outcome(RunResult("infra_error", error=RunError("", message)), Usage()) | {
        "retryable": True
    }


def script(run: ScriptResult) -> Result:
    """Return the result of a script."""
    return {
        "status": run.status,
        "message": run.message,
        "limit": run.limit,
        "exit_code": run.exit_code,
        "signal": run.signal,
        "stdout": run.stdout,
        "stderr": run.stderr,
        "files": {path: b64encode(content).decode("ascii") for path, content in run.files},
        "left_out": list(run.left_out),
        "usage": usage_dict(run.usage),
    }


def not_run(reason: str, message: str, *, retryable: bool = False) -> Result:
    """Return the validation of a task that nothing was run for."""
    return {
        "valid": False,
        "reason": reason,
        "retryable": retryable,
        "message": message,
        "output": None,
        "value": None,
        "determinism": {
            "runs": 0, "agree": False, "varied": [], "broken_by": None, "observations": [],
        },
        "usage": usage_dict(Usage()),
    }  # fmt: skip


def validation(found: determinism.Determinism) -> Result:
    """Return the validation that a determinism check amounts to."""
    run = found.result
    valid = run.status == "ok" and found.agree
    if valid:
        reason, message = None, ""
    elif run.status != "ok":
        reason, message = run.status, verdicts.describe(run)
    else:
        reason = "nondeterministic"
        message = f"the output changes with the {str(found.broken_by).replace('_', ' ')}"
    return {
        "valid": valid,
        "reason": reason,
        "retryable": False,
        "message": message,
        "output": render(run.values[0]) if valid else None,
        "value": run.values[0] if valid else None,
        "determinism": {
            "runs": found.runs,
            "agree": found.agree,
            "varied": list(found.varied),
            "broken_by": found.broken_by,
            "observations": list(found.observations),
        },
        "usage": usage_dict(found.usage),
    }
