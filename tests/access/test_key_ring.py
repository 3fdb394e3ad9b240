"""The accepted keys: all compared, each in constant time, and followed as the file changes."""

import hmac
import json

import pytest

from executor_service.access import key_ring
from executor_service.access.key_file import add_key, revoke_key
from executor_service.access.key_ring import KeyRing, parse_entries
from executor_service.access.keys import StoredKey, new_token, token_digest
from executor_service.errors import ConfigurationError

TOKENS = {name: new_token() for name in "abcde"}


def stored(name: str) -> StoredKey:
    return StoredKey(name=name, sha256=token_digest(TOKENS[name]))


def entry(name: str) -> str:
    return f"{name}:{token_digest(TOKENS[name])}"


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "keys.jsonl"
    add_key(path, stored("a"))
    return path


class Clock:
    """A clock that a test turns."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def ring(path, clock):
    return KeyRing("", str(path), clock)


def accepted(ring: KeyRing) -> set[str]:
    found = {name: ring.find(token) for name, token in TOKENS.items()}
    return {name for name, key in found.items() if key is not None and key.revoked is None}


@pytest.mark.parametrize("token", [TOKENS["a"], TOKENS["c"], TOKENS["e"], new_token()])
def test_every_stored_hash_is_compared_in_constant_time_wherever_the_match_is(token, monkeypatch):
    compared = []

    def compare(one: str, other: str) -> bool:
        compared.append(one)
        return hmac.compare_digest(one, other)

    monkeypatch.setattr(key_ring, "hmac", type("Hmac", (), {"compare_digest": compare}))
    ring = KeyRing(",".join(entry(name) for name in TOKENS))
    ring.find(token)
    assert compared == [token_digest(one) for one in TOKENS.values()]


def test_a_key_is_found_by_its_token_and_by_nothing_near_it():
    ring = KeyRing(f"{entry('a')}, {entry('b')},")
    assert accepted(ring) == {"a", "b"}
    assert ring.find(TOKENS["a"]).name == "a"
    assert ring.find(TOKENS["a"].swapcase().replace("AZR_", "azr_")) is None
    assert ring.find("azr_" + token_digest(TOKENS["a"])[:43]) is None


def test_keys_are_asked_for_where_any_are_configured_and_only_there(path):
    assert not KeyRing().required
    assert not KeyRing("", "").required
    assert KeyRing(entry("a")).required
    assert KeyRing("", str(path)).required
    path.write_text("")
    assert KeyRing("", str(path)).required


def test_a_new_key_is_good_within_a_second(ring, path, clock):
    add_key(path, stored("b"))
    assert accepted(ring) == {"a"}
    clock.now += 1
    assert accepted(ring) == {"a", "b"}


def test_a_revoked_key_is_refused_within_a_second_and_still_known(ring, path, clock):
    revoke_key(path, "a")
    clock.now += 1
    assert accepted(ring) == set()
    assert ring.find(TOKENS["a"]).revoked is not None


def test_the_file_is_looked_at_once_a_second_and_read_when_it_changed(
    ring, path, clock, monkeypatch
):
    looks, reads = [], []
    signature, read = ring._signature, ring._read
    monkeypatch.setattr(ring, "_signature", lambda: looks.append(1) or signature())
    monkeypatch.setattr(ring, "_read", lambda: reads.append(1) or read())
    for _ in range(100):
        ring.current()
    clock.now += 1
    for _ in range(100):
        ring.current()
    assert (len(looks), len(reads)) == (1, 0)
    add_key(path, stored("b"))
    clock.now += 1
    for _ in range(100):
        ring.current()
    assert (len(looks), len(reads)) == (2, 1)


def test_a_file_that_is_damaged_changes_nothing_but_the_log(ring, path, clock, caplog):
    good = path.read_text()
    path.write_text("{")
    for _ in range(3):
        clock.now += 1
        assert accepted(ring) == {"a"}
    assert [record.levelname for record in caplog.records] == ["ERROR"]
    assert "line 1" in caplog.text
    path.write_text(good + json.dumps({"name": "b", "sha256": token_digest(TOKENS["b"])}))
    clock.now += 1
    assert accepted(ring) == {"a", "b"}


def test_a_file_that_has_gone_closes_the_door_until_it_is_back(path, clock, caplog):
    ring = KeyRing(entry("b"), str(path), clock)
    assert accepted(ring) == {"a", "b"}
    content = path.read_text()
    path.unlink()
    clock.now += 1
    assert accepted(ring) == {"b"}
    assert ring.required
    assert "has gone" in caplog.text
    path.write_text(content)
    clock.now += 1
    assert accepted(ring) == {"a", "b"}


def test_keys_of_both_sources_are_good_but_not_the_same_key_in_both(path, clock):
    assert accepted(KeyRing(entry("b"), str(path), clock)) == {"a", "b"}
    with pytest.raises(ConfigurationError, match="keep one"):
        KeyRing(entry("a"), str(path), clock)


def test_a_file_that_is_not_there_at_the_start_is_an_error(tmp_path):
    with pytest.raises(ConfigurationError, match="keys new"):
        KeyRing("", str(tmp_path / "keys"))


@pytest.mark.parametrize(
    "text",
    [
        "a",
        "a:",
        TOKENS["a"],
        f"a:{TOKENS['a']}",
        f"a={'0' * 64}",
        f"a:{'0' * 63}",
        f"a b:{'0' * 64}",
        f"anonymous:{'0' * 64}",
        f":{'0' * 64}",
    ],
)
def test_a_wrong_entry_is_refused_by_its_number_and_without_its_text(text):
    with pytest.raises(ConfigurationError) as refusal:
        parse_entries(f"good:{'1' * 64},{text}")
    assert "EXECUTOR_KEYS, entry 2" in str(refusal.value)
    assert TOKENS["a"] not in str(refusal.value)


def test_an_entry_that_is_there_twice_is_refused():
    for other in (f"a:{'0' * 64}", entry("a").replace("a:", "b:", 1)):
        with pytest.raises(ConfigurationError, match="twice"):
            parse_entries(f"{entry('a')},{other}")
