"""What travels to a worker and back: nothing is lost on the way, and nothing is code."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from executor_service.dispatch.submission import Submission
from executor_service.dispatch.ticket import Place, Ticket
from executor_service.errors import RequestError
from executor_service.operations import parse_operation
from executor_service.queue.chunks import (
    CHUNK_BYTES,
    Chunk,
    cut,
    from_wire,
    read_order,
    to_wire,
)

VERIFY = {
    "mode": "abduction", "program": "def f(a):\n    return a", "output": "1", "answer": "1",
    "limits": {"cpu_seconds": 2.5}, "imports": ["import math"], "equality": "approx",
}  # fmt: skip


def places(*bodies, request_id="r1"):
    operations = [parse_operation(name, body) for name, body in bodies]
    ticket = Ticket(Submission(operations, request_id=request_id), 0.0)
    return [Place(ticket, index, operation) for index, operation in enumerate(operations)]


def execute(program):
    return "execute", {"program": program, "inputs": ["1"]}


@given(st.text(st.characters(exclude_categories=())), st.text(max_size=5))
def test_operations_arrive_as_they_were_lone_surrogates_included(program, answer):
    sent = places(
        execute(program),
        ("validate", {"program": program, "input": answer, "policy": {"allow_imports": False}}),
        ("verify", VERIFY | {"program": program, "answer": answer}),
    )
    payload = Chunk(sent, attempt=2).payload("api-1")
    assert payload.isascii()
    order = read_order(payload)
    assert order.operations == [place.operation for place in sent]
    assert (order.api, order.attempt, order.requests) == ("api-1", 2, ("r1",))


def test_a_refusal_comes_back_as_the_same_refusal():
    refusal = from_wire(json.loads(json.dumps(to_wire(RequestError("too long", field="program")))))
    assert isinstance(refusal, RequestError)
    assert (str(refusal), refusal.field) == ("too long", "program")


def test_a_result_comes_back_as_it_was():
    result = {"status": "correct", "got": "\ud800", "refused_by_nobody": None}
    assert from_wire(json.loads(json.dumps(to_wire(result)))) == result


@pytest.mark.parametrize(
    ("count", "size", "spread", "wanted"),
    [
        (1, 32, 4, [1]),
        (64, 32, 0, [32, 32]),
        (64, 32, 1, [32, 32]),
        (64, 32, 4, [8] * 8),
        (70, 32, 0, [32, 32, 6]),
        (3, 32, 100, [1, 1, 1]),
        (0, 32, 4, []),
    ],
)
def test_chunks_fill_the_idle_workers_and_no_chunk_is_too_long(count, size, spread, wanted):
    made = cut(places(*[execute("x")] * count), size, spread=spread)
    assert [len(chunk.places) for chunk in made] == wanted
    assert [p.index for chunk in made for p in chunk.places] == list(range(count))


def test_chunks_are_cut_by_bytes_too_and_a_larger_operation_travels_alone():
    small, large = execute("x"), execute("x" * (CHUNK_BYTES + 1))
    third = execute("x" * (CHUNK_BYTES // 3))
    made = cut(places(small, large, small, third, third, third, small), 32, spread=0)
    assert [[p.index for p in chunk.places] for chunk in made] == [[0], [1], [2, 3, 4], [5, 6]]
