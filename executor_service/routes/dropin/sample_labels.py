"""Labels that the adapters of `trainer_client` write: a ``task`` with ``program``, ``input`` ….

The same label can so be judged by the adapter in the trainer's process and by ``/reward``. Fields:
docs/clients.md. As in the adapters, fields of other names are ignored, and one that is null or
empty is one that is not there.
"""

import json
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from executor_service.errors import RequestError

TASKS: Final[Mapping[str, tuple[str, ...]]] = {
    "deduction": ("program", "output"),
    "abduction": ("program", "output"),
    "induction": ("hidden",),
    "error": ("program", "output"),
}
"""The tasks, and the fields that each needs."""


class SampleLabel(NamedTuple):
    """What a label asks for.

    Attributes:
        body: A body of ``POST /v1/verify`` without what the response provides.
        quoted: The answer is text, to be compared as such: the name of an exception.
    """

    body: dict[str, Any]
    quoted: bool


def read_sample_label(label: Mapping[str, Any], field: str) -> SampleLabel:
    """Return the verification that a label with a ``task`` asks for.

    Args:
        label: The label.
        field: Where it stands, for errors.

    Raises:
        RequestError: It lacks a field, or one is not what it should be.
    """
    there = {name: value for name, value in label.items() if value not in (None, "", [], {})}
    task = there.get("task")
    if not isinstance(task, str) or task not in TASKS:
        raise RequestError(f"its task is none of {', '.join(TASKS)}", field=field)
    for name in TASKS[task]:
        if name not in there:
            raise RequestError(f"not a task: {name}: {task} needs this field", field=field)
        if name != "hidden" and not isinstance(there[name], str):
            raise RequestError(f"not a task: {name}: text is wanted", field=field)
    rules: dict[str, Any] = {
        name: there[name] for name in ("entry_point", "equality") if name in there
    }
    if task == "error":
        # The program raised when the label was made; nothing is run, two texts are compared.
        gold = {"program": there["program"], "output": repr(there["output"])}
        return SampleLabel({"mode": "deduction", **gold, **rules}, quoted=True)
    body: dict[str, Any] = {"mode": task, **rules}
    if "imports" in there:
        body["imports"] = _listed(there["imports"], "imports", field)
    if task == "induction":
        body["cases"] = [_case(case, field) for case in _listed(there["hidden"], "hidden", field)]
        return SampleLabel(body, quoted=False)
    body |= {"program": there["program"], "output": there["output"]}
    if task == "deduction" and "input" in there:
        body["input"] = there["input"]
    return SampleLabel(body, quoted=False)


def _listed(value: Any, name: str, field: str) -> list[Any]:
    """Return a list, which may come as its JSON text."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            value = None
    if not isinstance(value, list):
        raise RequestError(f"not a task: {name}: a list is wanted", field=field)
    return value


def _case(case: Any, field: str) -> dict[str, Any]:
    if isinstance(case, Mapping):
        case = [case.get("input"), case.get("output")]
    match case:
        case [str() as given, str() as output]:
            return {"input": given, "output": output}
    raise RequestError("not a task: hidden: an input and an output are wanted", field=field)
