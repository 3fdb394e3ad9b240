"""The waits between attempts."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from trainer_client.verifier.retry import Backoff, retry_after


def test_waits_double_up_to_the_longest_and_are_cut_by_half_at_most():
    backoff = Backoff(base=1.0, longest=10.0)
    for attempt, whole in ((1, 1.0), (2, 2.0), (3, 4.0), (4, 8.0), (5, 10.0), (10_000, 10.0)):
        waits = [backoff.seconds(attempt) for _ in range(50)]
        assert whole / 2 <= min(waits)
        assert max(waits) <= whole
        assert len(set(waits)) > 1


@pytest.mark.parametrize(
    ("header", "seconds"),
    [(None, 0), ("7", 7), (" 7 ", 7), ("-7", 0), ("٧", 0), ("soon", 0), ("", 0), ("1.5", 0)],
)
def test_retry_after_is_a_number_of_seconds(header, seconds):
    assert retry_after(header) == seconds


def test_retry_after_may_be_a_date():
    later = datetime.now(UTC) + timedelta(seconds=100)
    assert 90 < retry_after(format_datetime(later, usegmt=True)) <= 100
    assert retry_after("Wed, 21 Oct 2015 07:28:00 GMT") == 0
