"""The page of the activity log: where its lines lead, and what may be asked of it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from audittrail.model.activity import GROUPS, Activity, ActivityFilter, matching
from audittrail.model.errors import Invalid
from audittrail.web.views.activity import GROUP_WORDS, place


def test_every_group_has_words() -> None:
    assert tuple(GROUP_WORDS) == GROUPS


@pytest.mark.parametrize("subject", ["", "../../logout", "a b", "x?y=1", "//host", "é"])
def test_only_an_id_becomes_an_address(subject: str) -> None:
    assert place(Activity(at_us=1, actor="a", action="approval.denied", subject=subject)) == ""


def test_where_a_line_leads() -> None:
    for action, subject, href in (
        ("approval.expired", "apr_12ab", "/approvals/apr_12ab"),
        ("violation.resolved", "12ab", "/violations/12ab"),
        ("report.created", "rep_1", "/reports/rep_1"),
        ("report.deleted", "rep_1", ""),
        ("member.added", "x@example.org", "/settings/members"),
        ("rules.refused", "a.yaml:1", "/constitution"),
        ("auth.signed_in", "x@example.org", ""),
    ):
        assert place(Activity(at_us=1, actor="a", action=action, subject=subject)) == href  # type: ignore[arg-type]


def us(*parts: int) -> int:
    return int(datetime(*parts, tzinfo=UTC).timestamp()) * 1_000_000  # type: ignore[arg-type, misc]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-21T14:00:00Z", us(2026, 11, 21, 14)),
        ("2026-11-21t14:00:00z", us(2026, 11, 21, 14)),
        ("2026-11-21T14:00:00.25Z", us(2026, 11, 21, 14) + 250_000),
        ("2026-11-21T14:00:00.123456Z", us(2026, 11, 21, 14) + 123_456),
        ("2026-11-21T14:00:00+02:00", us(2026, 11, 21, 12)),
        ("2026-11-21T14:00:00 02:00", us(2026, 11, 21, 12)),
        ("2026-11-21T14:00:00-02:30", us(2026, 11, 21, 16, 30)),
    ],
)
def test_moments(text: str, expected: int) -> None:
    assert ActivityFilter.parse(from_=text).from_us == expected
    assert ActivityFilter.parse(to=text).to_us == expected


@pytest.mark.parametrize(
    "text", ["2026-11-21", "2026-11-21T14:00:00", "now", "2026-13-01T00:00:00Z", "٢٠٢٦-11-21T14:00:00Z", "1" * 500]
)
def test_what_is_no_moment_is_refused(text: str) -> None:
    with pytest.raises(Invalid, match="`from` is a time"):
        ActivityFilter.parse(from_=text)


def test_actions_by_name_and_by_beginning() -> None:
    assert matching("key.") == ("key.created", "key.revoked")
    assert matching("key.created") == ("key.created",)
    for nothing in ("", ".", "key", "key.x", "%", "KEY."):
        assert matching(nothing) == ()
    want = ActivityFilter.parse(action=["key.", "key.revoked", "auth.signed_in", ""])
    assert want.actions == ("key.created", "key.revoked", "auth.signed_in")
    assert ActivityFilter.parse(range="1h").since_us(10**16) == 10**16 - 3_600_000_000
    with pytest.raises(Invalid, match=r"key\.revoked"):
        ActivityFilter.parse(action=["keys."])
