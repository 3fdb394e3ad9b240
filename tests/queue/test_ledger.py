"""Chunks that do not come back: sent again, in time given up, and answered once."""

import gc
import time
import weakref

from executor_service.dispatch.backlog import Backlog
from executor_service.dispatch.submission import Submission
from executor_service.operations import parse_operation
from executor_service.queue.chunks import Chunk
from executor_service.queue.ledger import ATTEMPTS, Ledger

OK = {"status": "correct"}


def made(count=3):
    """Return (ledger, ticket, backlog, chunk) with ``count`` operations on their way."""
    operation = parse_operation("execute", {"program": "x", "inputs": ["1"]})
    backlog = Backlog(1024)
    ticket = backlog.admit(Submission([operation] * count))
    ledger = Ledger(backlog, unheard=10)
    chunk = Chunk([backlog.take() for _ in range(count)])
    chunk.sent = time.monotonic() - 100
    ledger.add(chunk)
    return ledger, ticket, backlog, chunk


def results(ticket):
    return [ticket.results.get_nowait() for _ in range(ticket.results.qsize())]


def test_a_chunk_is_done_when_all_its_results_are_there():
    ledger, ticket, backlog, chunk = made()
    for number in (2, 0, 1):
        assert ledger.result(chunk.id, number, OK)
    assert (len(ledger), ledger.operations, backlog.held) == (0, 0, 0)
    assert [index for index, _ in results(ticket)] == [2, 0, 1]


def test_the_first_result_counts_and_later_ones_are_dropped():
    ledger, ticket, _, chunk = made(1)
    assert ledger.result(chunk.id, 0, OK)
    assert not ledger.result(chunk.id, 0, {"status": "wrong"})
    assert results(ticket) == [(0, OK)]


def test_numbers_and_ids_that_nobody_gave_out_are_ignored():
    ledger, ticket, _, chunk = made(1)
    assert not ledger.result("unknown", 0, OK)
    assert not ledger.result(chunk.id, 7, OK)
    assert not ledger.result(chunk.id, -1, OK)
    assert results(ticket) == []


def test_a_dead_workers_chunk_is_sent_again_one_operation_at_a_time():
    ledger, _, _, chunk = made(3)
    ledger.started(chunk.id, "w1")
    ledger.result(chunk.id, 1, OK)
    assert ledger.lost({"w1": {"in_hand": [chunk.id]}}) == []
    assert ledger.lost({"w2": {"in_hand": []}}) == [chunk]
    again = ledger.again(chunk)
    assert [[place.index for place in c.places] for c in again] == [[0], [2]]
    assert {c.attempt for c in again} == {2}
    assert ledger.operations == 0


def test_a_chunk_that_its_living_worker_does_not_know_is_lost_after_some_beats():
    ledger, _, _, chunk = made()
    ledger.started(chunk.id, "w1")
    assert ledger.lost({"w1": {"in_hand": []}}) == []
    chunk.started -= 60
    assert ledger.lost({"w1": {"in_hand": []}}) == [chunk]


def test_a_slow_worker_that_was_given_up_may_still_answer_first_but_only_once():
    ledger, ticket, _, chunk = made(1)
    ledger.started(chunk.id, "w1")
    (again,) = ledger.again(chunk)
    ledger.add(again)
    assert ledger.result(chunk.id, 0, OK)
    assert not ledger.result(again.id, 0, OK)
    assert results(ticket) == [(0, OK)]
    assert ledger.operations == 0


def test_what_kills_its_worker_every_time_ends_as_an_infra_error_without_a_score():
    ledger, ticket, _, chunk = made(1)
    sent = [chunk]
    for _ in range(ATTEMPTS):
        (last,) = sent
        sent = ledger.again(last)
        for c in sent:
            ledger.add(c)
    assert sent == []
    ((_, result),) = results(ticket)
    (outcome,) = result["outcomes"]
    assert (outcome["status"], outcome["value"], outcome["retryable"]) == (
        "infra_error", None, True,
    )  # fmt: skip
    assert ledger.given_up == 1


def test_only_what_has_long_been_sent_and_not_started_is_looked_for():
    ledger, _, _, chunk = made()
    assert ledger.unseen() == [chunk]
    chunk.sent = time.monotonic()
    assert ledger.unseen() == []
    chunk.sent = None
    assert ledger.unseen() == []
    chunk.sent = time.monotonic() - 100
    ledger.started(chunk.id, "w1")
    assert ledger.unseen() == []


def test_one_absence_is_no_proof_two_in_a_row_are():
    ledger, _, _, chunk = made()
    assert not ledger.absent(chunk, queued=False)
    assert not ledger.absent(chunk, queued=True)
    assert not ledger.absent(chunk, queued=False)
    assert ledger.absent(chunk, queued=False)


def test_what_nobody_waits_for_is_not_sent_again():
    ledger, ticket, backlog, chunk = made()
    backlog.abandon(ticket)
    assert not chunk.wanted
    assert ledger.again(chunk) == []


def test_nothing_is_kept_of_what_nobody_wants():
    ledger, ticket, backlog, chunk = made()
    operation, gone = weakref.ref(chunk.places[0].operation), weakref.ref(ticket)
    backlog.abandon(ticket)
    ledger.remove(chunk)
    del ticket, chunk
    gc.collect()
    assert operation() is None
    assert gone() is None


def test_a_chunk_that_was_sent_anew_keeps_no_operation_in_memory():
    ledger, ticket, backlog, chunk = made(2)
    operation, gone, first = weakref.ref(chunk.places[0].operation), weakref.ref(ticket), chunk.id
    again = ledger.again(chunk)
    backlog.abandon(ticket)
    del ticket, chunk, again
    gc.collect()
    assert operation() is None
    assert gone() is None
    assert not ledger.result(first, 0, OK)


def test_the_memory_of_what_was_sent_anew_is_bounded(monkeypatch):
    monkeypatch.setattr("executor_service.queue.ledger._REMEMBERED", 5)
    ledger, ticket, _, chunk = made(1)
    chunks = [chunk]
    for _ in range(20):
        chunks.append(Chunk(chunk.places))
        ledger.again(chunks[-2])
    assert not ledger.result(chunks[0].id, 0, OK)
    assert ledger.result(chunks[-2].id, 0, OK)
    assert results(ticket) == [(0, OK)]
