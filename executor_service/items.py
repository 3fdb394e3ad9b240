"""The items of a batch or a job: parsed one by one, the bad ones answered in their place."""

from collections.abc import Sequence
from typing import Any

from pydantic import ValidationError

from executor_service import problems
from executor_service.errors import RequestError
from executor_service.operations import OPERATION_NAMES, AnyOperation, parse_operation


class ParsedItems:
    """A batch's good operations with their places, and the problems of its bad ones."""

    def __init__(self, items: Sequence[Any]) -> None:
        self.operations: list[AnyOperation] = []
        self.places: list[int] = []
        self.problems: dict[int, dict[str, Any]] = {}
        for place, item in enumerate(items):
            try:
                operation = parse_item(item)
            except (RequestError, ValidationError) as error:
                self.problems[place] = {"error": problems.item_problem(error)}
            else:
                self.operations.append(operation)
                self.places.append(place)


def parse_item(item: object) -> AnyOperation:
    """Return the operation that an item describes.

    Raises:
        RequestError: It has no known ``op``.
        pydantic.ValidationError: A field is missing, unknown or wrong.
    """
    if not isinstance(item, dict):
        raise RequestError("an item is an object with an op")
    name = item.get("op")
    if not isinstance(name, str) or name not in OPERATION_NAMES:
        raise RequestError(f"one of {', '.join(OPERATION_NAMES)} is wanted", field="op")
    return parse_operation(name, {key: value for key, value in item.items() if key != "op"})


def shown(result: Any) -> Any:
    """Return a dispatcher's result as it stands in an answer: a refusal is a problem."""
    if isinstance(result, RequestError):
        return {"error": problems.from_request_error(result)}
    return result
