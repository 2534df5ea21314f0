"""Tokens of cookies and links."""

from __future__ import annotations

import re

from audittrail.identity.tokens import hash_token, new_token, same, setup_token


def test_a_token_has_256_bits_and_fits_into_a_url():
    tokens = {new_token() for _ in range(100)}
    assert len(tokens) == 100
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{43}", token) for token in tokens)


def test_what_is_stored_is_not_the_token():
    assert hash_token("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"  # FIPS 180-4, B.1


def test_the_setup_token_is_the_same_at_each_start_and_another_on_each_server():
    assert setup_token(b"key") == setup_token(b"key")
    assert setup_token(b"key") != setup_token(b"other")
    assert re.fullmatch(r"[A-Za-z0-9_-]{43}", setup_token(b"key"))


def test_tokens_are_compared_whatever_they_hold():
    assert same("ä", "ä") and not same("ä", "a") and not same("", "a") and not same("\ud800", "x")
