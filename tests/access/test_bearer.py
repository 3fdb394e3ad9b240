"""The ``Authorization`` header: one bearer token of the right form, or nothing."""

import contextlib
from base64 import b64encode

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from executor_service.access.bearer import MALFORMED, MISSING, bearer_token
from executor_service.access.keys import TOKEN
from executor_service.errors import NotAuthenticated

GOOD = "azr_" + "aB3_-" * 8 + "xyz"
TOKENS = st.from_regex(TOKEN, fullmatch=True)


def headers(*values: bytes):
    return [(b"host", b"localhost"), *((b"authorization", value) for value in values)]


@given(
    token=TOKENS,
    scheme=st.sampled_from(["Bearer", "bearer", "BEARER", "bEaReR"]),
    space=st.integers(1, 5),
    around=st.sampled_from(["", " ", "\t "]),
)
def test_a_token_is_found_however_the_scheme_is_written(token, scheme, space, around):
    value = f"{around}{scheme}{' ' * space}{token}{around}".encode()
    assert bearer_token(headers(value)) == token


def test_without_the_header_there_is_no_token():
    with pytest.raises(NotAuthenticated, match=MISSING):
        bearer_token(headers())


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"Bearer",
        b"Bearer ",
        GOOD.encode(),
        b"Basic " + GOOD.encode(),
        b"Token " + GOOD.encode(),
        b"Bearer" + GOOD.encode(),
        b"Bearer\t" + GOOD.encode(),
        b"Bearer " + GOOD.encode() + b"x",
        b"Bearer " + GOOD.encode()[:-1],
        b"Bearer " + GOOD.encode() + b" " + GOOD.encode(),
        b"Bearer " + GOOD.encode() + b", Bearer " + GOOD.encode(),
        b"Bearer AZR_" + GOOD.encode()[4:],
        b"Bearer azr_" + "ä".encode() * 22,
        b"Bearer password",
        b'Bearer "' + GOOD.encode() + b'"',
        b"Bearer " + b"a" * 100_000,
    ],
)
def test_anything_else_is_malformed(value):
    with pytest.raises(NotAuthenticated, match=MALFORMED):
        bearer_token(headers(value))


def test_two_headers_are_malformed_even_if_both_are_good():
    with pytest.raises(NotAuthenticated, match=MALFORMED):
        bearer_token(headers(b"Bearer " + GOOD.encode(), b"Bearer " + GOOD.encode()))


@given(value=st.binary(max_size=80) | st.builds(b"Bearer ".__add__, st.binary(max_size=60)))
@example(value=b"Bearer \xc5\xbf" + GOOD.encode())
def test_no_bytes_break_the_parser_and_what_it_finds_stood_there(value):
    with contextlib.suppress(NotAuthenticated):
        token = bearer_token(headers(value))
        assert TOKEN.fullmatch(token)
        assert value.strip(b" \t").endswith(token.encode())


@given(value=st.text(st.characters(codec="ascii"), max_size=80))
def test_the_reason_never_repeats_what_stood_there(value):
    try:
        bearer_token(headers(value.encode()))
    except NotAuthenticated as error:
        assert str(error) == MALFORMED


def basic(text: str) -> bytes:
    return b"Basic " + b64encode(text.encode())


@given(token=TOKENS, user=st.sampled_from(["", "x", "trainer"]))
def test_a_key_may_be_the_password_of_a_url(token, user):
    assert bearer_token(headers(basic(f"{user}:{token}"))) == token


@pytest.mark.parametrize("text", [GOOD, f"{GOOD}:", f"x:{GOOD}x", f"x:y:{GOOD}", "x:", "\xff:"])
def test_another_password_is_none(text):
    with pytest.raises(NotAuthenticated, match=MALFORMED):
        bearer_token(headers(basic(text)))


def test_a_web_page_cannot_use_the_password_that_its_browser_remembers():
    page = [*headers(basic(f"x:{GOOD}")), (b"origin", b"https://example.com")]
    with pytest.raises(NotAuthenticated, match=MALFORMED):
        bearer_token(page)
