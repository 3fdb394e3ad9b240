"""The items of a request's body: every JSON that json.loads reads, and bounded."""

import itertools
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from executor_service.errors import InfrastructureError, RequestError
from executor_service.jobs.payload import pack_body, unpack
from executor_service.jobs.record import CHUNK_ITEMS

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def unpacked(body: bytes, most: int = 1000) -> list[object]:
    pieces, count = pack_body(body, most)
    items = [unpack(piece) for piece in pieces]
    assert all(len(piece) == CHUNK_ITEMS for piece in items[:-1])
    assert sum(map(len, items)) == count
    return list(itertools.chain.from_iterable(items))


@given(
    items=st.lists(VALUES, min_size=1, max_size=140),
    indent=st.sampled_from([None, 0, 3]),
    ascii_only=st.booleans(),
)
def test_items_come_out_as_they_went_in(items, indent, ascii_only):
    text = json.dumps({"items": items}, indent=indent, ensure_ascii=ascii_only)
    assert unpacked(text.encode()) == items


def test_lone_surrogates_byte_order_marks_and_other_encodings_are_read_as_json_loads_does():
    body = b'{"items": ["\\ud800", "\xc3\xa9"]}'
    assert unpacked(body) == ["\ud800", "é"]
    assert unpacked(b"\xef\xbb\xbf" + body) == ["\ud800", "é"]
    assert unpacked('{"items": ["é"]}'.encode("utf-16")) == ["é"]
    assert unpacked(b'\r\n\t {\n"items"\t:\r[ 1 ,2 ] } \n') == [1, 2]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b"[]", None),
        (b"3", None),
        (b'"items"', None),
        (b"{}", "items"),
        (b'{"items": []}', "items"),
        (b'{"items": {}}', "items"),
        (b'{"items": null}', "items"),
        (b'{"items": [1], "items": [2]}', "items"),
        (b'{"items": [1], "stream": true}', "stream"),
        (b'{"stream": true, "items": [1]}', "stream"),
        (b'{"items": [1, 2, 3, 4]}', "items"),
    ],
)
def test_what_is_no_list_of_items_is_refused_by_name(body, field):
    with pytest.raises(RequestError) as error:
        pack_body(body, 3)
    assert error.value.field == field


@pytest.mark.parametrize(
    "body",
    [
        b"", b" ", b"{", b'{"items"', b'{"items":', b'{"items": [', b'{"items": [1', b"nonsense",
        b'{"items": [1,', b'{"items": [1,]}', b'{"items": [1 2]}', b'{"items": [1]', b"{items: 1}",
        b'{"items": [1]} x', b'{"items": [1],}', b"{1: [1]}", b'{"items": [\'1\']}', b'{,}',
    ],
)  # fmt: skip
def test_what_is_not_json_is_said_to_be_that(body):
    with pytest.raises(json.JSONDecodeError):
        json.loads(body)
    with pytest.raises(json.JSONDecodeError):
        pack_body(body, 3)


def test_reading_ends_at_the_first_item_too_many():
    endless = b'{"items": [' + b"{}," * 50 + b"this is not JSON"
    with pytest.raises(RequestError, match="at most 49"):
        pack_body(endless, 49)
    with pytest.raises(json.JSONDecodeError):
        pack_body(endless, 50)


def test_bytes_that_are_no_text_and_towers_of_brackets_are_errors_of_the_caller():
    with pytest.raises(UnicodeDecodeError):
        pack_body(b'{"items": ["\xff"]}', 3)
    with pytest.raises(RecursionError):
        pack_body(b'{"items": [' + b"[" * 200_000, 3)


@pytest.mark.parametrize("piece", [b"", b"xx", pack_body(b'{"items": [1]}', 1)[0][0][:-6]])
def test_a_damaged_piece_is_our_fault(piece):
    with pytest.raises(InfrastructureError):
        unpack(piece)
