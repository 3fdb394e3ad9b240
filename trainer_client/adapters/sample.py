"""What is judged: the fields that a row of a dataset has, whatever the trainer calls a row.

    task        ``deduction``, ``abduction``, ``induction`` or ``error``
    program     Python source (not for induction, where the program is the answer)
    input       an argument list (deduction and error; the gold one of abduction is not needed)
    output      the gold, as a literal; for error the name of the exception
    hidden      induction's cases: a list of {"input", "output"} or of pairs
    imports     optional: lines put before the program
    entry_point optional: name of the function that is called (``f``)
    equality    optional: ``typed``, ``python`` or ``approx``

Trainers with columns (TRL) have one per field; those with a single label (verl's ground truth,
OpenRLHF's and slime's label) have a JSON object of these fields. A field that is None or empty is
one that is not there: tables fill up what a row does not have.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Self

from trainer_client.errors import DataError
from trainer_client.records.kinds import Task
from trainer_client.records.problems import Case, InductionProblem, Problem, Triplet
from trainer_client.tasks.kind import Item, VerifyRules
from trainer_client.tasks.registry import task_kind

FIELDS: Final = (
    "task", "program", "input", "output", "hidden", "imports", "entry_point", "equality",
)  # fmt: skip
_NEEDED: Final[Mapping[Task, tuple[str, ...]]] = {
    Task.DEDUCTION: ("program", "output"),
    Task.ABDUCTION: ("program", "output"),
    Task.INDUCTION: ("hidden",),
    Task.ERROR: ("program", "output"),
}
_EQUALITIES: Final = ("typed", "python", "approx")


@dataclass(frozen=True)
class Sample:
    """One problem to be judged.

    Attributes:
        task: what the answer is.
        problem: the problem, its gold included.
        entry_point: name of the function that is called.
        equality: which values count as equal; None: as the grader has it.

    Example:
        >>> from trainer_client.adapters import Sample
        >>> row = {"task": "deduction", "program": "def f(x): return x * 2", "output": "8"}
        >>> Sample.read(row).item("8")["answer"]
        '8'
    """

    task: Task
    problem: Problem
    entry_point: str = "f"
    equality: str | None = None

    @classmethod
    def read(cls, label: Any, where: str = "the label") -> Self:
        """Read a row, or a label: a mapping of the fields, or JSON text of one.

        Args:
            label: what the dataset has; fields of other names are ignored.
            where: how errors name it.

        Raises:
            DataError: it is no such thing; the message names the field.
        """
        fields = {
            name: value
            for name, value in _mapping(label, where).items()
            if name in FIELDS and not _absent(value)
        }
        task = _task(fields, where)
        for name in _NEEDED[task]:
            if name not in fields:
                raise DataError(f"{where}: {name}: {task} needs this field")
        texts = {
            name: _text(fields, name, where)
            for name in ("program", "input", "output", "entry_point", "equality")
        }
        if texts["equality"] not in ("", *_EQUALITIES):
            raise DataError(f"{where}: equality: one of {', '.join(_EQUALITIES)} is wanted")
        imports = tuple(_strings(fields.get("imports", ()), f"{where}: imports"))
        problem: Problem
        if task is Task.INDUCTION:
            hidden = tuple(_cases(fields["hidden"], f"{where}: hidden"))
            problem = InductionProblem(texts["program"], "", (), hidden, imports)
        else:
            problem = Triplet(texts["program"], texts["input"], texts["output"], imports)
        return cls(task, problem, texts["entry_point"] or "f", texts["equality"] or None)

    @classmethod
    def read_columns(cls, columns: Mapping[str, Sequence[Any]], count: int) -> list[Self]:
        """Read rows that are given by columns, as TRL does.

        Raises:
            DataError: there is no column ``task``, one is too short, or a row is not right.
        """
        known = {name: columns[name] for name in FIELDS if name in columns}
        if "task" not in known:
            raise DataError(
                f"task: the dataset has no such column, only {', '.join(sorted(columns)) or 'none'}"
            )
        for name, values in known.items():
            if len(values) != count:
                raise DataError(f"{name}: {len(values)} values for {count} completions")
        return [
            cls.read({name: values[row] for name, values in known.items()}, f"row {row}")
            for row in range(count)
        ]

    def fields(self) -> dict[str, Any]:
        """Return the row that `read` makes this sample from."""
        found: dict[str, Any] = {"task": str(self.task), "program": self.problem.program}
        if isinstance(self.problem, InductionProblem):
            pairs = [{"input": case.input, "output": case.output} for case in self.problem.hidden]
            found["hidden"] = pairs
        else:
            found |= {"input": self.problem.input, "output": self.problem.output}
        if self.problem.imports:
            found["imports"] = list(self.problem.imports)
        if self.entry_point != "f":
            found["entry_point"] = self.entry_point
        if self.equality is not None:
            found["equality"] = self.equality
        return found

    def label(self) -> str:
        """Return the row as JSON: verl's ground truth, OpenRLHF's and slime's label."""
        return json.dumps(self.fields())

    def item(self, answer: str, rules: VerifyRules = VerifyRules()) -> Item:  # noqa: B008 - frozen
        """Return the item of /v1/batch that judges an answer."""
        item = task_kind(self.task).verification(self.problem, answer, rules)
        changes: Item = {"entry_point": self.entry_point}
        if self.equality is not None and "equality" in item:
            changes["equality"] = self.equality
        return item | changes


def _mapping(label: Any, where: str) -> Mapping[str, Any]:
    if isinstance(label, str):
        try:
            label = json.loads(label)
        except (ValueError, RecursionError):
            raise DataError(f"{where}: no JSON object with a field task: {label[:80]!r}") from None
    if not isinstance(label, Mapping):
        kind = type(label).__name__
        raise DataError(f"{where}: neither a mapping nor the JSON text of an object, but {kind}")
    return label


def _absent(value: Any) -> bool:
    return value is None or (hasattr(value, "__len__") and len(value) == 0)


def _task(fields: Mapping[str, Any], where: str) -> Task:
    try:
        return Task(fields["task"])
    except KeyError:
        raise DataError(f"{where}: task: one of {', '.join(Task)} is wanted") from None
    except ValueError:
        raise DataError(f"{where}: task: {fields['task']!r} is none of {', '.join(Task)}") from None


def _text(fields: Mapping[str, Any], name: str, where: str) -> str:
    value = fields.get(name, "")
    if not isinstance(value, str):
        kind = type(value).__name__
        raise DataError(f"{where}: {name}: text is wanted (a value as its literal), not {kind}")
    return value


def _listed(value: Any, where: str) -> list[Any]:
    """Return a list of what may be an array of numpy, or the JSON text of a list."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            raise DataError(f"{where}: this text is no JSON list") from None
    if hasattr(value, "tolist"):
        value = value.tolist()
    if not isinstance(value, list | tuple):
        raise DataError(f"{where}: a list is wanted, not {type(value).__name__}")
    return list(value)


def _strings(value: Any, where: str) -> list[str]:
    lines = _listed(value, where)
    if not all(isinstance(line, str) for line in lines):
        raise DataError(f"{where}: a list of texts is wanted")
    return lines


def _cases(value: Any, where: str) -> list[Case]:
    if isinstance(value, Mapping):  # a table's list of structs, read as a struct of lists
        columns = [_listed(value.get(name, ()), f"{where}.{name}") for name in ("input", "output")]
        if len(columns[0]) != len(columns[1]):
            raise DataError(f"{where}: {len(columns[0])} inputs and {len(columns[1])} outputs")
        value = list(zip(*columns, strict=True))
    return [_case(entry, f"{where}[{place}]") for place, entry in enumerate(_listed(value, where))]


def _case(entry: Any, where: str) -> Case:
    if isinstance(entry, Mapping):
        entry = [entry.get("input"), entry.get("output")]
    match _listed(entry, where):
        case [str() as given, str() as wanted]:
            return Case(given, wanted)
    raise DataError(f"{where}: an input and an output are wanted, both texts")
