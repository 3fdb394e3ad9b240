"""The operations of the contract, written as items of /v1/batch with checked fields."""

from collections.abc import Sequence
from typing import Any, Unpack

from trainer_client.verifier.fields import (
    AbductionFields,
    DeductionFields,
    ExecuteFields,
    InductionFields,
    ValidateFields,
)

Item = dict[str, Any]
"""One item of /v1/batch: an operation and its ``op``."""


def execution(program: str, inputs: Sequence[str], **fields: Unpack[ExecuteFields]) -> Item:
    """Return the item that calls a program on inputs, each in a process of its own.

    Example:
        >>> from trainer_client.verifier import execution
        >>> execution("def f(x): return x", ["1", "2"])["op"]
        'execute'
    """
    return {"op": "execute", "program": program, "inputs": list(inputs), **fields}


def validation(program: str, input: str, **fields: Unpack[ValidateFields]) -> Item:  # noqa: A002
    """Return the item that asks whether a task is worth posing.

    Example:
        >>> from trainer_client.verifier import validation
        >>> validation("def f(x): return x", "1")["op"]
        'validate'
    """
    return {"op": "validate", "program": program, "input": input, **fields}


def deduction(program: str, **fields: Unpack[DeductionFields]) -> Item:
    """Return the item that judges a predicted output.

    Example:
        >>> from trainer_client.verifier import deduction
        >>> deduction("def f(x): return x", input="1", answer="1")["mode"]
        'deduction'
    """
    return {"op": "verify", "mode": "deduction", "program": program, **fields}


def abduction(program: str, **fields: Unpack[AbductionFields]) -> Item:
    """Return the item that judges a proposed input.

    Example:
        >>> from trainer_client.verifier import abduction
        >>> abduction("def f(x): return x", output="1", answer="1")["mode"]
        'abduction'
    """
    return {"op": "verify", "mode": "abduction", "program": program, **fields}


def induction(program: str, **fields: Unpack[InductionFields]) -> Item:
    """Return the item that judges a program by cases.

    Example:
        >>> from trainer_client.verifier import induction
        >>> induction("def f(x): return x", cases=[{"input": "1", "output": "1"}])["mode"]
        'induction'
    """
    return {"op": "verify", "mode": "induction", "program": program, **fields}
