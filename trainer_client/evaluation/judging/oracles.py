"""When an output is right: EvalPlus' rules (version 0.3.1), special oracles and tolerance included.

An output is what a sandbox returned: a typed value, or an object that has no typed form (a match
of a regular expression), of which only its being there is known.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from trainer_client.evaluation.judging.values import (
    Typed,
    as_set,
    close,
    equal,
    is_floats,
    number,
)
from trainer_client.evaluation.problems import Arguments, FunctionProblem

FLOAT_ATOL: Final = 1e-6
"""The tolerance of floats in tasks that name none."""
NOT_NONE: Final = frozenset({"check_str", "text_match_three", "text_starta_endb"})
"""MBPP: only whether something is returned counts."""
SET_EQUAL: Final = frozenset({
    "similar_elements", "find_char_long", "common_in_nested_lists", "extract_singly", "larg_nnum",
    "intersection_array", "find_dissimilar", "Diff",
})  # fmt: skip
"""MBPP: the order and number of equal elements do not count."""


@dataclass(frozen=True)
class Output:
    """What a call returned; ``value`` is None for an object without a typed form."""

    value: Typed | None


def opaque_allowed(problem: FunctionProblem) -> bool:
    """Tell whether an object without a typed form can be a right output."""
    return problem.dataset == "mbpp" and problem.entry_point in NOT_NONE


def tolerances(atol: float, expected: Sequence[Output]) -> list[float]:
    """Return the tolerance of each output of one set of tests.

    Where the task names none, EvalPlus compares exactly until the first expected float, and with
    1e-6 from there on; so does this.
    """
    found = []
    for output in expected:
        if atol == 0 and output.value is not None and is_floats(output.value):
            atol = FLOAT_ATOL
        found.append(atol)
    return found


def right(
    problem: FunctionProblem, arguments: Arguments, expected: Output, got: Output, atol: float
) -> bool:
    """Say whether an output is right.

    Args:
        problem: the problem.
        arguments: of the call.
        expected: the reference's output.
        got: the candidate's.
        atol: from `tolerances`.
    """
    if opaque_allowed(problem):
        return _is_something(expected) == _is_something(got)
    if expected.value is None or got.value is None:
        return False
    special = _SPECIAL.get((problem.dataset, problem.entry_point))
    try:
        if special is not None:
            verdict = special(arguments, got.value, atol)
            if verdict is not None:
                return verdict
        if problem.dataset == "mbpp" and problem.entry_point in SET_EQUAL:
            exact = as_set(got.value) == as_set(expected.value)
        else:
            exact = equal(got.value, expected.value)
    except (TypeError, ValueError, OverflowError, ZeroDivisionError):
        return False
    return exact or (atol != 0 and close(got.value, expected.value, atol))


def _is_something(output: Output) -> bool:
    """Read the output of a task that is asked for anything but None; a bool speaks for itself."""
    if output.value is None:
        return True
    if output.value["t"] == "bool":
        return bool(output.value["v"])
    return bool(output.value["t"] != "none")


Special = Callable[[Arguments, Typed, float], bool | None]
"""From arguments, output and tolerance to a verdict; None: the usual comparison decides."""


def _any(_arguments: Arguments, _got: Typed, _atol: float) -> bool | None:
    return True


def _zero(_arguments: Arguments, got: Typed, _atol: float) -> bool | None:
    return True if _number(got) == 0 else None


def _surface_area(arguments: Arguments, got: Typed, atol: float) -> bool | None:
    base, height = arguments
    slant = math.sqrt((base / 2) ** 2 + height**2)
    other = round(base**2 + 4 * (base * slant) / 2)
    found = _number(got)
    return True if found is not None and abs(found - other) <= atol else None


def _digit_distance(arguments: Arguments, got: Typed, _atol: float) -> bool | None:
    first, second = map(str, arguments)
    width = max(len(first), len(second))
    pairs = zip(first.zfill(width), second.zfill(width), strict=True)
    other = sum(abs(int(a) - int(b)) for a, b in pairs)
    return True if _number(got) == other else None


def _root(arguments: Arguments, got: Typed, atol: float) -> bool | None:
    point = _number(got)
    if point is None or isinstance(point, complex):
        return False
    total = sum(factor * math.pow(point, power) for power, factor in enumerate(arguments[0]))
    return bool(abs(total) <= atol)


def _number(value: Typed) -> int | float | complex | None:
    try:
        return number(value)
    except TypeError:
        return None


_SPECIAL: Final[dict[tuple[str, str], Special]] = {
    ("mbpp", "are_equivalent"): _any,  # Mbpp/164: the reference itself is wrong
    ("mbpp", "sum_div"): _zero,  # Mbpp/295
    ("mbpp", "surface_Area"): _surface_area,  # Mbpp/581
    ("mbpp", "digit_distance_nums"): _digit_distance,  # Mbpp/558
    ("humaneval", "find_zero"): _root,  # HumanEval/32
}


def shown(arguments: Arguments) -> str:
    """Write arguments as the argument list of a call, in literals alone where there are any."""
    return ", ".join(map(_literal, arguments))


def _literal(value: Any) -> str:
    if isinstance(value, float) and not math.isfinite(value):
        return "(1e999 - 1e999)" if math.isnan(value) else "1e999" if value > 0 else "-1e999"
    if isinstance(value, list):
        return f"[{', '.join(map(_literal, value))}]"
    if isinstance(value, tuple):
        return f"({', '.join(map(_literal, value))}{',' if len(value) == 1 else ''})"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_literal(k)}: {_literal(v)}" for k, v in value.items()) + "}"
    if isinstance(value, set):
        return "{" + ", ".join(map(_literal, value)) + "}" if value else "set()"
    return repr(value)
