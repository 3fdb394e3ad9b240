"""The key file: private, replaced as a whole, and understood or refused line by line."""

import os
import stat
import threading

import pytest

from executor_service.access import key_file
from executor_service.access.key_file import add_key, parse_keys, read_keys, revoke_key
from executor_service.access.keys import StoredKey, new_token, token_digest
from executor_service.errors import ConfigurationError


def key(name: str, **fields) -> StoredKey:
    return StoredKey(name=name, sha256=token_digest(new_token()), **fields)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "keys.jsonl"


def test_what_is_added_is_read_again(path):
    keys = [key("a"), key("b", operations_per_second=2.5, burst=7)]
    for one in keys:
        add_key(path, one)
    assert read_keys(path) == keys


def test_a_new_file_is_for_its_owner_alone_whatever_the_umask(path):
    before = os.umask(0)
    try:
        add_key(path, key("a"))
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.with_name("keys.jsonl.lock").stat().st_mode) == 0o600


def test_a_file_keeps_the_mode_and_owner_that_its_operator_gave_it(path):
    add_key(path, key("a"))
    path.chmod(0o640)
    if os.geteuid() == 0:
        os.chown(path, 1234, 4321)
    before = path.stat()
    add_key(path, key("b"))
    after = path.stat()
    assert after.st_ino != before.st_ino
    assert (after.st_mode, after.st_uid, after.st_gid) == (
        before.st_mode, before.st_uid, before.st_gid,
    )  # fmt: skip


def test_a_link_stays_a_link(path, tmp_path):
    link = tmp_path / "link"
    add_key(path, key("a"))
    link.symlink_to(path)
    add_key(link, key("b"))
    assert link.is_symlink()
    assert [one.name for one in read_keys(path)] == ["a", "b"]


def test_a_name_is_given_once_even_after_it_was_revoked(path):
    add_key(path, key("a"))
    with pytest.raises(ConfigurationError, match="a key with the name a already"):
        add_key(path, key("a"))
    revoke_key(path, "a")
    with pytest.raises(ConfigurationError, match="a key with the name a already"):
        add_key(path, key("a"))
    assert len(read_keys(path)) == 1


def test_revoking_marks_that_key_alone_and_once(path):
    for name in "abc":
        add_key(path, key(name))
    first = revoke_key(path, "b")
    assert first.revoked is not None
    assert revoke_key(path, "b") == first
    assert [one.revoked is not None for one in read_keys(path)] == [False, True, False]


def test_revoking_an_unknown_name_is_an_error(path):
    add_key(path, key("a"))
    with pytest.raises(ConfigurationError, match="no key with the name b"):
        revoke_key(path, "b")


def test_keys_made_at_the_same_time_are_all_there(path):
    barrier = threading.Barrier(8)

    def add(number: int) -> None:
        barrier.wait()
        for turn in range(5):
            add_key(path, key(f"k{number}-{turn}"))

    threads = [threading.Thread(target=add, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {one.name for one in read_keys(path)} == {
        f"k{n}-{t}" for n in range(8) for t in range(5)
    }


def test_a_write_that_fails_leaves_the_file_as_it_was_and_nothing_beside_it(path, monkeypatch):
    add_key(path, key("a"))
    before = path.read_bytes()

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(key_file.os, "fsync", full)
    with pytest.raises(ConfigurationError, match="No space left"):
        add_key(path, key("b"))
    assert path.read_bytes() == before
    assert {one.name for one in path.parent.iterdir()} == {"keys.jsonl", "keys.jsonl.lock"}


GOOD = f'{{"name": "a", "sha256": "{"0" * 64}"}}'


def test_blank_lines_are_passed_over():
    assert [one.name for one in parse_keys(f"\n{GOOD}\n\n", "x")] == ["a"]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("{", "not JSON"),
        ("[]", "valid dictionary"),
        ("azr_secret", "not JSON"),
        ("{}", "name: Field required"),
        ('{"name": "b"}', "sha256: Field required"),
        ('{"name": "b", "sha256": "123"}', "sha256: "),
        (GOOD, "a second key with the name a"),
        (GOOD.replace('"a"', '"b"'), "b has the hash of a"),
        (f'{{"name": "b c", "sha256": "{"1" * 64}"}}', "cannot name a key"),
        (f'{{"name": "b", "sha256": "{"1" * 64}", "admin": true}}', "admin: "),
        (f'{{"name": "b", "sha256": "{"1" * 64}", "burst": NaN}}', "burst: "),
    ],
)
def test_a_wrong_line_is_refused_by_its_number(line, words):
    with pytest.raises(ConfigurationError) as refusal:
        parse_keys(f"{GOOD}\n\n{line}\n", "keys.jsonl")
    assert "keys.jsonl, line 3" in str(refusal.value)
    assert words in str(refusal.value)
    assert "secret" not in str(refusal.value)


def test_a_missing_file_and_one_that_is_no_text_are_errors_that_name_it(path):
    with pytest.raises(ConfigurationError, match=r"keys\.jsonl.*is not there.*keys new"):
        read_keys(path)
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigurationError, match=r"keys\.jsonl.*cannot be read"):
        read_keys(path)
    with pytest.raises(ConfigurationError, match="cannot be changed"):
        add_key(path.parent / "no folder" / "keys", key("a"))
