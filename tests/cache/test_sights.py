"""The table of what was asked for once: bounded, and a refusal is final while it is remembered."""

from executor_service.cache.sights import Sights


def test_the_first_fingerprint_stays():
    sights = Sights()
    assert sights.earlier(b"k") is None
    sights.note(b"k", b"one")
    sights.note(b"k", b"two")
    assert sights.earlier(b"k") == b"one"
    sights.forget(b"k")
    assert sights.earlier(b"k") is None


def test_nothing_makes_up_for_a_refusal():
    sights = Sights()
    sights.note(b"k", b"one")
    sights.refuse(b"k")
    sights.note(b"k", b"two")
    assert sights.earlier(b"k") is None
    assert sights.refused(b"k")
    assert not sights.refused(b"l")


def test_the_oldest_are_forgotten():
    sights = Sights(most=3)
    for key in (b"a", b"b", b"c"):
        sights.note(key, b"seen")
    assert sights.earlier(b"a") == b"seen"  # and so it is the newest
    sights.note(b"d", b"seen")
    assert [sights.earlier(key) for key in (b"a", b"b", b"c", b"d")] == [
        b"seen", None, b"seen", b"seen",
    ]  # fmt: skip
