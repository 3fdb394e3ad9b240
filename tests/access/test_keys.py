"""API keys: random, of one form, and kept as hashes alone."""

import hashlib

import pytest
from pydantic import ValidationError

from executor_service.access.keys import (
    DIGEST,
    TOKEN,
    StoredKey,
    checked_name,
    new_token,
    token_digest,
)
from executor_service.errors import ConfigurationError


def test_every_key_is_new_and_holds_256_random_bits():
    tokens = {new_token() for _ in range(100)}
    assert len(tokens) == 100
    for token in tokens:
        assert TOKEN.fullmatch(token)
        assert len(token.removeprefix("azr_")) * 6 >= 256


def test_the_stored_hash_is_the_sha256_of_the_token():
    token = new_token()
    assert token_digest(token) == hashlib.sha256(token.encode()).hexdigest()
    assert DIGEST.fullmatch(token_digest(token))
    assert token not in token_digest(token)


@pytest.mark.parametrize("name", ["a", "trainer-1", "A.b_c-9", "x" * 64])
def test_a_plain_name_can_name_a_key(name):
    assert checked_name(name) == name


@pytest.mark.parametrize(
    "name", ["", "-a", ".", "a b", "a\n", "a:b", "a,b", "ä", "x" * 65, "anonymous", "a/b", "[red]"]
)
def test_a_name_that_could_be_misread_elsewhere_is_refused(name):
    with pytest.raises(ConfigurationError):
        checked_name(name)


@pytest.mark.parametrize(
    "fields",
    [
        {"sha256": "0" * 63},
        {"sha256": "0" * 64 + "\n"},
        {"sha256": "G" * 64},
        {"operations_per_second": -1},
        {"operations_per_second": float("inf")},
        {"burst": 0},
        {"created": "2026-01-01T00:00:00"},
        {"scope": "everything"},
    ],
)
def test_a_stored_key_with_a_wrong_field_is_refused(fields):
    with pytest.raises(ValidationError):
        StoredKey.model_validate({"name": "a", "sha256": "0" * 64} | fields)
