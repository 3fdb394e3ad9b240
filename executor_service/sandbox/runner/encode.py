"""Python value to typed value (design/API.md, "Typed values"), inside the sandbox.

Works by exact type and never calls a method of the value: what is not exactly one of the table's
types is refused. The result is the JSON text itself, written piece by piece, since building
dictionaries only to serialise them costs twice the time.
"""

import re
import sys
from _json import encode_basestring_ascii as quote
from binascii import b2a_base64
from collections.abc import Callable
from types import GetSetDescriptorType, MemberDescriptorType
from typing import Any, Final

MAX_DEPTH: Final = 100
DECIMAL_INT_BITS: Final = 13_287
"""Largest bit length whose decimal text surely has at most 4,000 digits."""

_surrogate_pair: Final = re.compile(r"[\ud800-\udbff][\udc00-\udfff]").search
"""Two surrogates that JSON would take for one character, which is another value."""
_mro_of: Final = type.__dict__["__mro__"].__get__
_dict_of: Final = type.__dict__["__dict__"].__get__
_name_of: Final = type.__dict__["__name__"].__get__
_args_of: Final = BaseException.args.__get__  # type: ignore[attr-defined]


class Unsupported(Exception):
    """The value, or something in it, has no typed form."""


class TooLong(Exception):
    """The typed form is longer than the run's ``output_bytes``."""


class Encoder:
    """Encodes one value; ``budget`` is what is left of ``output_bytes``."""

    def __init__(self, output_bytes: int) -> None:
        self.budget = output_bytes

    def encode(self, value: Any, depth: int = 0) -> str:
        """Return the JSON text of ``value``'s typed form.

        Raises:
            Unsupported: a type outside the table, a cycle, or more than ``MAX_DEPTH`` levels.
            TooLong: the text would pass the budget.
        """
        kind = type(value)
        scalar = SCALARS.get(kind)
        if scalar is not None:
            text = scalar(value, self.budget)
            self.budget -= len(text)
            if self.budget < 0:
                raise TooLong
            return text
        if depth >= MAX_DEPTH:
            raise Unsupported(f"nested deeper than {MAX_DEPTH} levels, or cyclic")
        container = CONTAINERS.get(kind)
        if container is not None:
            self.budget -= 20
            return container(self, value, depth + 1)
        return self._other(value, kind, depth)

    def items(self, values: Any, depth: int) -> list[str]:
        """Encode each of ``values``, charging for the commas."""
        self.budget -= 1
        encode = self.encode
        return [encode(value, depth) for value in values]

    def pairs(self, pairs: Any, depth: int) -> str:
        """Encode (key, value) pairs as a JSON array of arrays."""
        encode = self.encode
        return ",".join([f"[{encode(key, depth)},{encode(value, depth)}]" for key, value in pairs])

    def _charge(self, characters: int) -> None:
        """Take what a value's own frame costs; many empty ones are a long text, too."""
        self.budget -= characters
        if self.budget < 0:
            raise TooLong

    def _other(self, value: Any, kind: type, depth: int) -> str:
        for module, name, encoder in LIBRARY:
            loaded = sys.modules.get(module)
            if loaded is not None and loaded.__dict__.get(name) is kind:
                text = encoder(self, value, depth + 1)
                self._charge(20)
                return text
        mro = _mro_of(kind)
        if BaseException in mro:
            self._charge(40)
            args = ",".join(self.items(_args_of(value), depth + 1))
            return f'{{"t":"exception","v":{{"class":{quote(_name_of(kind))},"args":[{args}]}}}}'
        fields = _record_fields(value, kind, mro)
        if fields is None:
            raise Unsupported(f"a value of type {_name_of(kind)} has no typed form")
        tag, named = fields
        self._charge(60)
        body = ",".join([f"[{quote(name)},{self.encode(item, depth + 1)}]" for name, item in named])
        return f'{{"t":"{tag}","v":{{"class":{quote(_name_of(kind))},"fields":[{body}]}}}}'


def _record_fields(
    value: Any, kind: type, mro: tuple[type, ...]
) -> tuple[str, list[tuple[str, Any]]] | None:
    """Return the tag and the named fields of a namedtuple, dataclass or enum member."""
    own = _dict_of(kind)
    if tuple in mro:
        names = own.get("_fields")
        plain = type(names) is tuple and all(type(name) is str for name in names)
        if plain and len(names) == tuple.__len__(value):
            return "namedtuple", list(zip(names, tuple.__iter__(value), strict=True))
        return None
    if "_member_map_" in own:
        state = _instance_dict(value, mro)
        if state is not None and type(state.get("_name_")) is str and "_value_" in state:
            return "enum", [(state["_name_"], state["_value_"])]
        return None
    # A dataclass field holds its own name; its kind tells ClassVar and InitVar pseudo-fields.
    if "__dataclass_fields__" in own and mro[-1] is object:
        if any(base in SCALARS or base in CONTAINERS for base in mro[:-1]):
            return None
        state = _instance_dict(value, mro) or {}
        named = []
        for name, field in own["__dataclass_fields__"].items():
            if str(field._field_type) != "_FIELD":
                continue
            if name in state:
                named.append((name, state[name]))
            else:
                named.append((name, _slot(value, name, mro)))
        return "dataclass", named
    return None


def _instance_dict(value: Any, mro: tuple[type, ...]) -> dict[str, Any] | None:
    for base in mro:
        getter = _dict_of(base).get("__dict__")
        if getter is not None:
            if type(getter) is not GetSetDescriptorType:
                return None
            state = getter.__get__(value)
            return state if type(state) is dict else None
    return None


def _slot(value: Any, name: str, mro: tuple[type, ...]) -> Any:
    for base in mro:
        member = _dict_of(base).get(name)
        if type(member) is MemberDescriptorType:
            try:
                return member.__get__(value)
            except AttributeError:
                break
    raise Unsupported(f"dataclass field {name} is not set")


def _int(value: int, budget: int) -> str:
    if value.bit_length() <= DECIMAL_INT_BITS:
        return f'{{"t":"int","v":"{value}"}}'
    if value.bit_length() > budget * 4 + 64:
        raise TooLong
    return f'{{"t":"int","v":"{value:#x}"}}'


def _str(value: str, budget: int) -> str:
    if len(value) > budget:
        raise TooLong
    if not value.isascii() and _surrogate_pair(value):
        # JSON would read the two as the one character they stand for in UTF-16.
        raise Unsupported("a str with a pair of surrogates has no typed form")
    return f'{{"t":"str","v":{quote(value)}}}'


def _float_text(value: float) -> str:
    # float.hex() says inf, -inf and nan too; a nan's sign is not part of its value.
    return "nan" if value != value else value.hex()  # noqa: PLR0124


def _bytes(tag: str) -> Callable[[Any, int], str]:
    def encode(value: Any, budget: int) -> str:
        if len(value) > budget:
            raise TooLong
        return f'{{"t":"{tag}","v":"{b2a_base64(value, newline=False).decode()}"}}'

    return encode


def _sequence(tag: str) -> Callable[[Encoder, Any, int], str]:
    head = f'{{"t":"{tag}","v":['

    def encode(encoder: Encoder, value: Any, depth: int) -> str:
        return head + ",".join(encoder.items(value, depth)) + "]}"

    return encode


def _set(tag: str) -> Callable[[Encoder, Any, int], str]:
    head = f'{{"t":"{tag}","v":['

    def encode(encoder: Encoder, value: Any, depth: int) -> str:
        return head + ",".join(sorted(encoder.items(value, depth))) + "]}"

    return encode


def _mapping(tag: str) -> Callable[[Encoder, Any, int], str]:
    head = f'{{"t":"{tag}","v":['

    def encode(encoder: Encoder, value: Any, depth: int) -> str:
        return head + encoder.pairs(dict.items(value), depth) + "]}"

    return encode


def _ordered_dict(encoder: Encoder, value: Any, depth: int) -> str:
    # The order of an OrderedDict is its own: dict.items() does not know of move_to_end().
    pairs = encoder.pairs(type(value).items(value), depth)
    return f'{{"t":"OrderedDict","v":[{pairs}]}}'


def _text(tag: str, show: Callable[[Any], str]) -> Callable[[Encoder, Any, int], str]:
    def encode(encoder: Encoder, value: Any, depth: int) -> str:
        text = show(value)
        encoder.budget -= len(text)
        if encoder.budget < 0:
            raise TooLong
        return f'{{"t":"{tag}","v":{quote(text)}}}'

    return encode


def _moment(tag: str) -> Callable[[Encoder, Any, int], str]:
    def encode(encoder: Encoder, value: Any, depth: int) -> str:
        zone = value.tzinfo
        if zone is not None:
            known = {sys.modules["datetime"].timezone}
            if "zoneinfo" in sys.modules:
                known.add(sys.modules["zoneinfo"].ZoneInfo)
            if type(zone) not in known:
                raise Unsupported("a time zone class of the program's own has no typed form")
        return f'{{"t":"{tag}","v":"{value.isoformat()}"}}'

    return encode


def _timedelta(encoder: Encoder, value: Any, depth: int) -> str:
    return f'{{"t":"timedelta","v":[{value.days},{value.seconds},{value.microseconds}]}}'


def _range(encoder: Encoder, value: range, depth: int) -> str:
    bounds = (value.start, value.stop, value.step)
    if any(bound.bit_length() > DECIMAL_INT_BITS for bound in bounds):
        raise Unsupported("a range over integers of thousands of digits has no typed form")
    return f'{{"t":"range","v":[{bounds[0]},{bounds[1]},{bounds[2]}]}}'


SCALARS: Final[dict[type, Callable[[Any, int], str]]] = {
    type(None): lambda value, budget: '{"t":"none"}',
    type(...): lambda value, budget: '{"t":"ellipsis"}',
    bool: lambda value, budget: '{"t":"bool","v":true}' if value else '{"t":"bool","v":false}',
    int: _int,
    float: lambda value, budget: f'{{"t":"float","v":"{_float_text(value)}"}}',
    complex: lambda value, budget: (
        f'{{"t":"complex","v":["{_float_text(value.real)}","{_float_text(value.imag)}"]}}'
    ),
    str: _str,
    bytes: _bytes("bytes"),
    bytearray: _bytes("bytearray"),
}

CONTAINERS: Final[dict[type, Callable[[Encoder, Any, int], str]]] = {
    list: _sequence("list"),
    tuple: _sequence("tuple"),
    set: _set("set"),
    frozenset: _set("frozenset"),
    dict: _mapping("dict"),
    range: _range,
}

LIBRARY: Final[tuple[tuple[str, str, Callable[[Encoder, Any, int], str]], ...]] = (
    ("collections", "deque", _sequence("deque")),
    ("collections", "OrderedDict", _ordered_dict),
    ("collections", "Counter", _mapping("Counter")),
    ("collections", "defaultdict", _mapping("defaultdict")),
    ("decimal", "Decimal", _text("Decimal", str)),
    ("fractions", "Fraction", _text("Fraction", str)),
    ("datetime", "date", _text("date", lambda value: value.isoformat())),
    ("datetime", "datetime", _moment("datetime")),
    ("datetime", "time", _moment("time")),
    ("datetime", "timedelta", _timedelta),
)
