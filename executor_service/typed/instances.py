"""Calls of the program's own classes in an answer, turned into the objects they would build.

A text says ``Point(1, y=2)``; only the value to compare with knows Point's fields. Bound so: the
arguments by position fill the fields in order, the others go by name, every field exactly once.
What cannot be bound stays a call, which equals nothing but the same call.

Not covered: defaults, ``__post_init__`` and constructors of the program's own making; those need
the program, so abduction answers are built in the sandbox instead.
"""

from typing import Any

from executor_service.typed.form import TypedValue
from executor_service.typed.keys import Key, typed_key

_ITEMS = frozenset({"list", "tuple", "set", "frozenset", "deque"})
_PAIRS = frozenset({"dict", "OrderedDict", "Counter", "defaultdict"})
_RECORDS = frozenset({"namedtuple", "dataclass", "enum"})


class _Classes:
    """What a value shows of its classes: tag and field names, and the enum members."""

    def __init__(self) -> None:
        self.calls = False
        self.fields: dict[str, tuple[str, list[str]]] = {}
        self.exceptions: set[str] = set()
        self.members: dict[tuple[str, str], TypedValue] = {}
        self.by_value: dict[tuple[str, Key], TypedValue] = {}

    def scan(self, value: TypedValue) -> None:
        """Collect from ``value`` and everything in it."""
        tag = value["t"]
        if tag in ("instance", "member"):
            self.calls = True
        elif tag in _RECORDS:
            name, fields = value["v"]["class"], value["v"]["fields"]
            if tag == "enum":
                self.members[name, fields[0][0]] = value
                self.by_value[name, typed_key(fields[0][1])] = value
            else:
                self.fields[name] = (tag, [field for field, _ in fields])
        elif tag == "exception":
            self.exceptions.add(value["v"]["class"])
        for part in _parts(value):
            self.scan(part)


def _parts(value: TypedValue) -> list[TypedValue]:
    tag = value["t"]
    if tag in _ITEMS:
        return list(value["v"])
    if tag in _PAIRS:
        return [part for pair in value["v"] for part in pair]
    if tag in _RECORDS:
        return [item for _, item in value["v"]["fields"]]
    if tag == "exception":
        return list(value["v"]["args"])
    if tag == "instance":
        return [*value["args"], *[item for _, item in value["kwargs"]]]
    return []


def resolve_instances(a: TypedValue, b: TypedValue) -> tuple[TypedValue, TypedValue] | None:
    """Return both values with their calls bound to the other's classes; None without calls."""
    left, right = _Classes(), _Classes()
    left.scan(a)
    right.scan(b)
    if not (left.calls or right.calls):
        return None
    return _resolve(a, right), _resolve(b, left)


def _resolve(value: TypedValue, classes: _Classes) -> TypedValue:
    tag = value["t"]
    if tag in _ITEMS:
        return {"t": tag, "v": [_resolve(item, classes) for item in value["v"]]}
    if tag in _PAIRS:
        pairs = [[_resolve(part, classes) for part in pair] for pair in value["v"]]
        return {"t": tag, "v": pairs}
    if tag in _RECORDS:
        body = value["v"]
        fields = [[name, _resolve(item, classes)] for name, item in body["fields"]]
        return {"t": tag, "v": {"class": body["class"], "fields": fields}}
    if tag == "exception":
        body = value["v"]
        args = [_resolve(item, classes) for item in body["args"]]
        return {"t": tag, "v": {"class": body["class"], "args": args}}
    if tag == "member":
        return classes.members.get((value["class"], value["name"]), value)
    if tag == "instance":
        args = [_resolve(item, classes) for item in value["args"]]
        kwargs = [[name, _resolve(item, classes)] for name, item in value["kwargs"]]
        return _bind(value["class"], args, kwargs, classes)
    return value


def _bind(
    name: str, args: list[TypedValue], kwargs: list[list[Any]], classes: _Classes
) -> TypedValue:
    if name in classes.fields:
        tag, fields = classes.fields[name]
        named = dict(kwargs)
        given = fields[: len(args)] + list(named)
        if len(args) <= len(fields) and sorted(given) == sorted(fields):
            named.update(zip(fields, args, strict=False))
            pairs = [[field, named[field]] for field in fields]
            return {"t": tag, "v": {"class": name, "fields": pairs}}
    elif name in classes.exceptions and not kwargs:
        return {"t": "exception", "v": {"class": name, "args": args}}
    elif len(args) == 1 and not kwargs:
        member = classes.by_value.get((name, typed_key(args[0])))
        if member is not None:
            return member
    return {"t": "instance", "class": name, "args": args, "kwargs": kwargs}
