"""Items of a batch, written as JSON once: compared, and cut into requests by their bytes."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from trainer_client.errors import VerifierError

PIECE_BYTES: Final = 4 * 1024 * 1024
"""Most bytes of a request with more than one item: far below the service's 32 MiB, so that a 413
is left to proxies, and a request that has to be sent again costs little."""


@dataclass(frozen=True, slots=True)
class Parcel:
    """One item of /v1/batch."""

    encoded: bytes
    op: str

    @property
    def item(self) -> dict[str, Any]:
        """The item itself, read anew: whatever the caller did to it since."""
        found: dict[str, Any] = json.loads(self.encoded)
        return found


@dataclass(frozen=True)
class Order:
    """What one submit asks for: its distinct items, and which of them stands in each place."""

    parcels: Sequence[Parcel]
    places: Sequence[int]


def pack(item: Mapping[str, Any], name: str = "the item") -> Parcel:
    r"""Return an item as JSON; pure ASCII, so that lone surrogates travel as ``\udXXX``.

    Raises:
        VerifierError: it has something that JSON has not.
    """
    if not isinstance(item, Mapping):
        raise VerifierError(f"{name} is no mapping but {type(item).__name__}")
    try:
        text = json.dumps(item, separators=(",", ":"), allow_nan=False, sort_keys=True)
    except (TypeError, ValueError, RecursionError) as error:
        raise VerifierError(f"{name} cannot be written as JSON: {error}") from error
    return Parcel(text.encode("ascii"), str(item.get("op")))


def order(items: Sequence[Mapping[str, Any]]) -> Order:
    """Return the items, each of several identical ones once.

    Raises:
        VerifierError: an item has something that JSON has not; the message says which.
    """
    return distinct([pack(item, f"item {place}") for place, item in enumerate(items)])


def distinct(parcels: Sequence[Parcel]) -> Order:
    """Return the parcels, each of several identical ones once."""
    found: dict[Parcel, int] = {}
    places = [found.setdefault(parcel, len(found)) for parcel in parcels]
    return Order(list(found), places)


def pieces(parcels: Sequence[Parcel], most: int) -> Iterator[list[Parcel]]:
    """Cut parcels into requests of at most `most` items and about `PIECE_BYTES`."""
    piece: list[Parcel] = []
    size = 0
    for parcel in parcels:
        size += len(parcel.encoded)
        if piece and (len(piece) == most or size > PIECE_BYTES):
            yield piece
            piece, size = [], len(parcel.encoded)
        piece.append(parcel)
    if piece:
        yield piece


def body(parcels: Sequence[Parcel]) -> bytes:
    """Return the body of a request for these items."""
    return b'{"items":[' + b",".join(parcel.encoded for parcel in parcels) + b"]}"
