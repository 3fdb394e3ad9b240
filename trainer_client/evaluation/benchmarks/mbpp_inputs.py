"""MBPP+'s arguments as they were before JSON: lists back to tuples, sets and complex numbers.

JSON has no tuples, so EvalPlus restores them by a rule for each task; these are its rules
(`mbpp_deserialize_inputs`, version 0.3.1). Tasks without a rule have the arguments of the file.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final

Rule = Callable[[Sequence[Any]], Sequence[Any]]
"""From a call's arguments as JSON has them to those meant."""


def restored(task_id: str, arguments: Sequence[Any]) -> tuple[Any, ...]:
    """Return the arguments of one call of a task (``Mbpp/2``)."""
    rule = _RULES.get(int(task_id.rpartition("/")[2]))
    return tuple(rule(arguments) if rule else arguments)


def _tuples(arguments: Sequence[Any]) -> list[Any]:
    """Each argument is a tuple."""
    return [tuple(each) for each in arguments]


def _lists_of_tuples(arguments: Sequence[Any]) -> list[Any]:
    """Each argument is a list of tuples."""
    return [_tuples(each) for each in arguments]


def _tuples_of_tuples(arguments: Sequence[Any]) -> list[Any]:
    """Each argument is a tuple of tuples."""
    return [tuple(_tuples(each)) for each in arguments]


def _list_of_tuples_first(arguments: Sequence[Any]) -> list[Any]:
    """The first of two arguments is a list of tuples."""
    return [_tuples(arguments[0]), arguments[1]]


def _tuple_second(arguments: Sequence[Any]) -> list[Any]:
    return [arguments[0], tuple(arguments[1])]


def _tuple_first(arguments: Sequence[Any]) -> list[Any]:
    return [tuple(arguments[0]), *arguments[1:]]


def _list_of_sets(arguments: Sequence[Any]) -> list[Any]:
    """A list of sets; what is empty is an empty dict, as in the original."""
    return [[set(item) if isinstance(item, list) and item else {} for item in arguments[0]]]


def _tuple_of_mixed(arguments: Sequence[Any]) -> list[Any]:
    """A tuple that holds tuples among other things."""
    first = [tuple(item) if isinstance(item, list) else item for item in arguments[0]]
    return [tuple(first)]


def _dict_of_tuples_first(arguments: Sequence[Any]) -> list[Any]:
    return [{key: tuple(value) for key, value in arguments[0].items()}, *arguments[1:]]


def _float_and_complex(arguments: Sequence[Any]) -> list[Any]:
    return [float(arguments[0]), complex(arguments[1])]


def _complex(arguments: Sequence[Any]) -> list[Any]:
    return [complex(arguments[0])]


def _deep_tuples(value: Any) -> Any:
    """Every list, however deep, is a tuple."""
    return tuple(map(_deep_tuples, value)) if isinstance(value, list | tuple) else value


_TASKS: Final[dict[Rule, tuple[int, ...]]] = {
    _tuples: (
        2, 116, 132, 143, 222, 261, 273, 394, 399, 421, 424, 429, 470, 560, 579, 596, 616, 630,
        726, 740, 744, 809,
    ),
    _lists_of_tuples: (63, 64, 70, 94, 120, 237, 272, 299, 400, 409, 417, 438, 473, 614, 780),
    _list_of_tuples_first: (75, 413, 444, 753),
    _tuple_second: (106, 750),
    _list_of_sets: (115,),
    _float_and_complex: (124,),
    _tuple_first: (250, 307, 405, 446, 617, 720, 763, 808),
    _tuples_of_tuples: (259, 401, 445),
    _tuple_of_mixed: (278,),
    _dict_of_tuples_first: (722,),
    _complex: (252,),
    _deep_tuples: (580, 615, 791),
}  # fmt: skip
_RULES: Final = {task: rule for rule, tasks in _TASKS.items() for task in tasks}
