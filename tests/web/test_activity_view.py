"""The activity log in words: every action has some, and nothing in a line is taken for more than text."""

from __future__ import annotations

from datetime import UTC, datetime
from string import Formatter

import pytest

from audittrail.model.activity import ACTIONS, GROUPS, Action, Activity, ActivityFilter, matching
from audittrail.model.errors import Invalid
from audittrail.web.views.activity import GROUP_WORDS, SENTENCES, place, sentence


def said(action: Action, subject: str = "", **detail: object) -> str:
    return "".join(
        piece.text for piece in sentence(Activity(at_us=1, actor="a", action=action, subject=subject, detail=detail))
    )


def test_every_action_and_every_group_has_words() -> None:
    assert tuple(SENTENCES) == ACTIONS
    assert tuple(GROUP_WORDS) == GROUPS


@pytest.mark.parametrize("action", ACTIONS)
def test_a_line_without_details_has_words_too(action: Action) -> None:
    last = SENTENCES[action][-1]
    assert all(name is None for _, name, _, _ in Formatter().parse(last))
    assert said(action) == last
    # What is not a text of ours, or not there, is passed over.
    assert said(action, subject="", role=None, name="", rules=[], versions={}) == last


def test_the_fullest_sentence_is_said() -> None:
    assert said("key.revoked", "pk-at-1", name="staging agents") == "revoked the key “staging agents” (pk-at-1)"
    assert said("rules.changed", "abc", added=["a", "b"], removed=[], changed=["c"]) == (
        "put the rule set abc in force: added a and b, changed c"
    )
    assert said("rules.changed", "abc", added=list("abcdefgh"), removed=[], changed=[]) == (
        "put the rule set abc in force: added a, b, c, d, e and 3 more"
    )
    assert said("account.password_changed", "x@y", sessions_ended=0) == "changed the password of x@y; sessions ended: 0"
    assert said("auth.sign_in_refused", wanted="sign-in", address="::1", reason="wrong") == (
        "was refused a sign-in from ::1: wrong"
    )


def test_a_hostile_name_is_a_piece_of_its_own() -> None:
    name = "{subject} %s <b>" + "x" * 500
    pieces = sentence(Activity(at_us=1, actor="a", action="key.revoked", subject="pk", detail={"name": name}))
    assert [piece.given for piece in pieces] == [False, True, False, True, False]
    assert pieces[1].text.startswith("{subject} %s <b>xx") and len(pieces[1].text) == 120


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
