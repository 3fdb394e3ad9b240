"""The order within an owner: earliest deadline first, and turns for those who name none."""

import pytest

from dispatch.simulation import submission
from executor_service.dispatch.lane import Lane
from executor_service.dispatch.ticket import Ticket


@pytest.fixture
def lane():
    return Lane()


def add(lane, count, patience=None, now=0.0):
    ticket = Ticket(submission(count, patience=patience), now)
    lane.add(ticket)
    return ticket


def order(lane, tickets):
    """Take everything; return the tickets' numbers in the order of the operations."""
    taken = []
    while (place := lane.take()) is not None:
        taken.append(tickets.index(place.ticket))
    return taken


def test_the_earliest_deadline_comes_first_and_of_equal_ones_the_first_that_came(lane):
    tickets = [add(lane, 2, patience) for patience in (3, 1, 2, 1)]
    assert order(lane, tickets) == [1, 1, 3, 3, 2, 2, 0, 0]


def test_without_a_deadline_requests_take_turns(lane):
    tickets = [add(lane, 3), add(lane, 2)]
    assert order(lane, tickets) == [0, 1, 0, 1, 0]


def test_one_in_four_is_without_a_deadline_however_many_have_one(lane):
    tickets = [add(lane, 2)] + [add(lane, 5, patience) for patience in (1, 2)]
    assert order(lane, tickets) == [1, 1, 1, 0, 1, 1, 2, 0, 2, 2, 2, 2]


def test_what_has_waited_for_no_turn_has_none_to_make_up_for(lane):
    add(lane, 100, 1)
    for _ in range(50):
        lane.take()
    late_comer = add(lane, 10)
    assert [lane.take().ticket is late_comer for _ in range(8)] == [True, False, False, False] * 2


def test_what_is_cleared_waits_no_more(lane):
    kept, gone = add(lane, 2, 1), add(lane, 3, 1)
    undated, forgotten = add(lane, 2), add(lane, 4)
    assert [len(lane.clear(ticket)) for ticket in (gone, forgotten, gone)] == [3, 4, 0]
    assert lane.waiting == 4
    assert order(lane, [kept, undated]) == [0, 0, 1, 1]
    assert lane.waiting == 0


def test_late_are_those_whose_deadline_is_there(lane):
    first, second = add(lane, 1, 1), add(lane, 1, 2)
    add(lane, 1, 3)
    add(lane, 1)
    assert lane.late(0.9) == []
    assert lane.late(2.0) == [first, second]


def test_the_outlook_is_the_order_that_then_comes_true(lane):
    # Whatever waits, the promise counts as many operations as are taken until the last of a ticket.
    tickets = [add(lane, count, patience) for count, patience in ((4, 1), (7, 3), (40, None))]
    outlook = dict(lane.outlook(5, 2.0))
    tickets.append(add(lane, 5, 2.0))
    taken = order(lane, tickets)

    def until(number):
        return len(taken) - taken[::-1].index(number)

    assert set(outlook) == {2.0, 3.0}
    assert 0 <= outlook[2.0] - until(3) <= 1
    assert 0 <= outlook[3.0] - until(1) <= 1


def test_among_many_the_outlook_is_short_and_never_too_hopeful(lane):
    for number in range(1_000):
        add(lane, 2, 10 + number)
    outlook = list(lane.outlook(5, 1.0))
    assert outlook[0] == (1.0, 5)
    assert len(outlook) < 70
    assert outlook[-1][1] == 2_005
    assert all(5 + 2 * (due - 9) <= own <= 5 + 2 * (due - 9 + 15) for due, own in outlook[1:])


def test_who_names_no_deadline_is_told_of_all_that_waits(lane):
    add(lane, 4, 1)
    add(lane, 2)
    assert list(lane.outlook(3, None)) == [(None, 9)]
