"""What may be typed for an account."""

from __future__ import annotations

import pytest

from audittrail.identity.accounts import NewAccount, clean_email, clean_name, name_error
from audittrail.model.errors import Invalid


def test_an_address_is_one_however_it_is_typed():
    assert clean_email("  Ann@Example.ORG\n") == "ann@example.org"
    assert clean_email("ande\u0301@example.org") == clean_email("and\u00e9@example.org")


@pytest.mark.parametrize(
    "email", ["", "ann", "ann@", "@example.org", "a b@example.org", "a@b@c", "a\0b@x.org", "a" * 250 + "@x.org"]
)
def test_what_is_no_address_is_refused(email: str):
    assert "email" in NewAccount.typed(email, "Ann", "a good pass phrase").errors()


def test_a_name_is_tidied_and_has_no_invisible_characters():
    assert clean_name("  Ann \t Lee ") == "Ann Lee"
    assert name_error("Ann\u202eLee", "the person") != ""
    assert name_error("x" * 81, "the project") != ""
    assert name_error("", "the project") != ""
    assert name_error("Ärger & Söhne <b>", "the project") == ""


def test_without_a_name_the_address_gives_one():
    assert NewAccount.typed("Ann.Lee@example.org", " ", "a good pass phrase").display_name == "ann.lee"


def test_all_that_is_wrong_is_said_at_once_and_the_password_is_not():
    new = NewAccount.typed("ann", "Ann\0", "short pass")
    with pytest.raises(Invalid) as error:
        new.check()
    assert "e-mail" in str(error.value) and "too short" in str(error.value) and "seen" in str(error.value)
    assert "short pass" not in str(error.value) + repr(new)
