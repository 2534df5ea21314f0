"""Equal values look equal, and nothing more can be learned from a placeholder."""

from __future__ import annotations

import re

import pytest

from audittrail.privacy.redactor import Redactor

ONE, OTHER = Redactor(b"one"), Redactor(b"other")


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("bob@example.org", "Bob@Example.ORG"),
        ("4111 1111 1111 1111", "4111111111111111"),
        ("GB29 NWBK 6016 1331 9268 19", "gb29nwbk60161331926819"),
        ("541-714-1388", "(541) 714-1388"),
        ("2001:db8::8a2e:370:7334", "2001:db8:0:0:0:8a2e:370:7334"),
    ],
)
def test_equal_values_have_equal_placeholders(first: str, second: str) -> None:
    assert ONE.redact_text(first)[0] == ONE.redact_text(second)[0]


def test_values_types_and_keys_make_a_difference() -> None:
    assert ONE.redact_text("bob@example.org")[0] != ONE.redact_text("rob@example.org")[0]
    assert ONE.redact_text("bob@example.org")[0] != OTHER.redact_text("bob@example.org")[0]
    number = ONE.redact_text("541-714-1388")[0].partition(":")[2]
    assert number != ONE.redact_text("5417141388", field="password")[0].partition(":")[2]


def test_its_form_is_safe_in_json_and_html() -> None:
    assert re.fullmatch(r"<EMAIL:[0-9a-f]{8}>", ONE.redact_text("bob@example.org")[0])


def test_a_placeholder_of_the_sender_hides_nothing() -> None:
    text, counts = ONE.redact_text("password=<EMAIL:12345678>hunter2 <A:12345678>bob@example.org")
    assert "hunter2" not in text
    assert "bob" not in text
    assert counts == {"PASSWORD": 1, "EMAIL": 1}
