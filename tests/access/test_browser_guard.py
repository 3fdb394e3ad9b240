"""Web pages of other origins are told from everybody else, by ``Host`` and ``Origin``."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from executor_service.access.browser_guard import (
    Authority,
    BrowserGuard,
    is_loopback,
    parse_authority,
)

GUARD = BrowserGuard(("127.0.0.1", "api", "Executor.Example."))


def refusal(host: str | None, *origins: str) -> str | None:
    headers = [(b"accept", b"*/*")]
    if host is not None:
        headers.append((b"host", host.encode("latin-1")))
    return GUARD.refusal([*headers, *((b"origin", one.encode("latin-1")) for one in origins)])


@pytest.mark.parametrize(
    "host",
    [
        "localhost", "localhost:8000", "LOCALHOST:8000", "localhost.", "127.0.0.1", "127.0.0.1:80",
        "[::1]:8000", "[::1]", "10.1.2.3:8000", "api", "api:8000", "executor.example:1",
    ],
)  # fmt: skip
def test_a_name_of_this_server_and_any_address_are_accepted(host):
    assert refusal(host) is None


@pytest.mark.parametrize(
    "host",
    [
        "evil.example", "localhost.evil.example", "evil.example:8000", "127.0.0.1.evil.example",
        "xlocalhost", "api.evil.example", "", ":8000", ".", "localhost:x", "localhost:",
        "a@localhost",
        "localhost,evil.example", "localhost evil", "2130706433", "0x7f.1", "[::1", "::1", "\xe4",
        "localhost/", "http://localhost",
    ],
)  # fmt: skip
def test_another_name_is_refused(host):
    assert "Host" in (refusal(host) or "")


def test_a_request_that_names_no_host_or_two_is_refused():
    assert refusal(None) is not None
    assert GUARD.refusal([(b"host", b"localhost"), (b"host", b"localhost")]) is not None


@pytest.mark.parametrize(
    ("host", "origin"),
    [
        ("localhost:8000", "http://localhost:8000"),
        ("127.0.0.1:8000", "http://127.0.0.1:8000"),
        ("localhost", "http://localhost"),
        ("localhost", "http://localhost:80"),
        ("localhost:443", "https://localhost"),
        ("[::1]:8000", "http://[::1]:8000"),
    ],
)
def test_a_page_of_this_very_server_is_accepted(host, origin):
    assert refusal(host, origin) is None


@pytest.mark.parametrize(
    ("host", "origin"),
    [
        ("localhost:8000", "http://evil.example"),
        ("localhost:8000", "http://localhost:3000"),
        ("localhost:8000", "http://localhost"),
        ("localhost:8000", "http://127.0.0.1:8000"),
        ("localhost:8000", "http://localhost:8000.evil.example"),
        ("localhost:8000", "http://localhost:8000/path"),
        ("localhost:8000", "null"),
        ("localhost:8000", ""),
        ("localhost:8000", "file://localhost:8000"),
        ("localhost:8000", "chrome-extension://localhost:8000"),
        ("localhost", "https://localhost:80"),
    ],
)
def test_a_page_of_another_origin_is_refused(host, origin):
    assert "another origin" in (refusal(host, origin) or "")


def test_two_origins_are_refused():
    assert refusal("localhost", "http://localhost", "http://localhost") is not None


@given(host=st.text(st.characters(codec="latin-1"), max_size=30))
def test_no_host_breaks_the_parser_and_only_known_ones_pass(host):
    if refusal(host) is None:
        found = parse_authority(host)
        assert found is not None
        known = found.host in {"localhost", "api", "executor.example"}
        with contextlib.suppress(ValueError):
            import ipaddress

            known = known or bool(ipaddress.ip_address(found.host))
        assert known


def test_an_authority_is_a_host_and_a_port():
    assert parse_authority("A.b:80") == Authority("a.b", 80)
    assert parse_authority("[::1]") == Authority("::1", None)


def test_loopback_addresses_are_told_from_others_mapped_ones_too():
    for host in ("127.0.0.1", "127.8.8.8", "::1", "localhost", "::ffff:127.0.0.1"):
        assert is_loopback(host)
    for host in ("0.0.0.0", "::", "10.0.0.1", "::ffff:10.0.0.1", "localhost.example", ""):
        assert not is_loopback(host)
