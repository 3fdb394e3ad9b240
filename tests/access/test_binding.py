"""Without keys the service listens where this machine alone reaches it."""

import logging

import pytest

from executor_service.access.binding import check_binding, describe, warn
from executor_service.access.key_file import add_key, revoke_key
from executor_service.access.key_ring import KeyRing
from executor_service.access.keys import StoredKey
from executor_service.errors import ConfigurationError
from executor_service.settings import Settings

ENTRY = f"a:{'0' * 64}"


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.1", "example.org"])
def test_an_address_that_others_reach_wants_keys(host):
    with pytest.raises(ConfigurationError) as refusal:
        check_binding(Settings(host=host))
    for word in (host, "EXECUTOR_KEYS_FILE", "keys new", "EXECUTOR_INSECURE_NO_KEYS"):
        assert word in str(refusal.value)
    check_binding(Settings(host=host, keys=ENTRY))
    check_binding(Settings(host=host, insecure_no_keys=True))


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost"])
def test_a_loopback_address_wants_none(host):
    check_binding(Settings(host=host))


def test_empty_settings_are_no_keys():
    with pytest.raises(ConfigurationError):
        check_binding(Settings(host="0.0.0.0", keys=" , ", keys_file=""))


def test_a_server_that_one_command_has_to_itself_asks_for_no_key():
    settings = Settings(keys=ENTRY, keys_file="/nowhere", rate_limit=1, slots=3).unguarded()
    assert not KeyRing.from_settings(settings).required
    assert (settings.rate_limit, settings.slots) == (0, 3)


def test_wrong_keys_are_an_error_on_any_address():
    with pytest.raises(ConfigurationError, match="EXECUTOR_KEYS"):
        check_binding(Settings(keys="a"))


def test_one_line_says_where_and_for_whom():
    assert describe(Settings()) == "127.0.0.1 port 8000, without keys: this machine alone"
    assert describe(Settings(host="::", keys=ENTRY)) == ":: port 8000, with one of 1 keys"
    assert "EVERYBODY" in describe(Settings(host="::", insecure_no_keys=True))


def warned(caplog, **changes) -> bool:
    caplog.clear()
    settings = Settings(**changes)
    with caplog.at_level(logging.WARNING):
        warn(settings, KeyRing.from_settings(settings))
    return bool(caplog.records)


def test_what_the_operator_may_not_have_meant_is_logged(caplog, tmp_path):
    path = tmp_path / "keys"
    add_key(path, StoredKey(name="a", sha256="0" * 64))
    assert not warned(caplog)
    assert not warned(caplog, keys_file=str(path))
    assert not warned(caplog, keys=ENTRY, insecure_no_keys=True)
    assert warned(caplog, insecure_no_keys=True)
    assert "everybody" in caplog.text
    revoke_key(path, "a")
    assert warned(caplog, keys_file=str(path))
    assert "nobody" in caplog.text
