"""API keys in headers: what is one, and what is said of what is not."""

from __future__ import annotations

import base64
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audittrail.identity.keys import Presented, derived_public, lookup, new_key, presented
from audittrail.model.errors import NotSignedIn

PUBLIC, SECRET = new_key()


def basic(text: str) -> str:
    return "Basic " + base64.b64encode(text.encode()).decode()


def test_a_key_looks_as_documented_and_is_another_each_time():
    assert re.fullmatch(r"pk-at-[A-Za-z0-9]{16}", PUBLIC)
    assert re.fullmatch(r"sk-at-[A-Za-z0-9]{40}", SECRET)
    assert len({new_key() for _ in range(100)}) == 100


@pytest.mark.parametrize(
    ("headers", "public"),
    [
        ({"authorization": f"Bearer {SECRET}"}, None),
        ({"authorization": f"bearer  {SECRET} "}, None),
        ({"authorization": basic(f"{PUBLIC}:{SECRET}")}, PUBLIC),
        ({"authorization": basic(f":{SECRET}")}, None),
        ({"x-api-key": SECRET}, None),
        ({"authorization": f"Bearer {SECRET}", "x-api-key": "of something else"}, None),
    ],
    ids=[
        "bearer",
        "blanks",
        "both parts",
        "secret alone",
        "x-api-key",
        "both headers",
    ],  # SECRET is a new one each time
)
def test_three_ways_to_present_a_key(headers: dict[str, str], public: str | None):
    assert presented(headers) == Presented(SECRET, public)


def test_no_header_is_no_key():
    assert presented({}) is None
    assert presented({"authorization": "", "x-api-key": " "}) is None


@pytest.mark.parametrize(
    ("headers", "says"),
    [
        ({"authorization": "Bearer abc"}, "no whole AuditTrail key"),
        ({"authorization": f"Bearer {PUBLIC}"}, "public part"),
        ({"authorization": f"Bearer {SECRET[:30]}"}, "no whole AuditTrail key"),
        ({"authorization": f"Bearer {SECRET}\u00e9"}, "no whole AuditTrail key"),
        ({"authorization": "Bearer sk-at-" + "k" * 600}, "no whole AuditTrail key"),
        ({"authorization": SECRET}, "neither Bearer nor Basic"),
        ({"authorization": "Digest x"}, "neither Bearer nor Basic"),
        ({"authorization": "Basic %%%"}, "base64"),
        ({"authorization": "Basic " + base64.b64encode(b"\xff\xfe:x").decode()}, "base64"),
        ({"authorization": basic("no colon")}, "base64"),
        ({"authorization": basic(f"someone:{SECRET}")}, "public part"),
        ({"authorization": basic(f"{SECRET}:{PUBLIC}")}, "pk-at-"),
        ({"authorization": basic(f"{PUBLIC}:")}, "no whole AuditTrail key"),
        ({"x-api-key": "abc"}, "x-api-key"),
    ],
)
def test_a_header_without_a_key_says_what_to_send(headers: dict[str, str], says: str):
    with pytest.raises(NotSignedIn, match=says) as error:
        presented(headers)
    assert SECRET not in str(error.value)


@given(st.text(max_size=80), st.text(max_size=80))
def test_any_header_is_a_key_none_or_a_refusal(authorization: str, own: str):
    try:
        found = presented({"authorization": authorization, "x-api-key": own})
    except NotSignedIn:
        return
    assert found is None or found.secret.startswith("sk-at-")


def test_a_key_does_not_show_itself():
    assert SECRET not in repr(Presented(SECRET, PUBLIC))


def test_a_derived_public_part_is_stable_and_tells_secrets_and_servers_apart():
    one = derived_public(b"server one", SECRET)
    assert re.fullmatch(r"pk-at-[A-Za-z0-9]{16}", one)
    assert one == derived_public(b"server one", SECRET)
    assert len({one, derived_public(b"server two", SECRET), derived_public(b"server one", SECRET + "x")}) == 3


def test_the_lookup_is_keyed_and_of_the_first_characters_only():
    assert lookup(b"a", SECRET) == lookup(b"a", SECRET[:14] + "anything")
    assert lookup(b"a", SECRET) != lookup(b"b", SECRET)
    assert SECRET[6:14] not in lookup(b"a", SECRET)
