"""The activity log in words: every action has some, and nothing in a line is taken for more than text."""

from __future__ import annotations

from string import Formatter

import pytest

from audittrail.model.activity import ACTIONS, Action, Activity
from audittrail.model.activity_words import SENTENCES, sentence, untold


def said(action: Action, subject: str = "", **detail: object) -> str:
    return "".join(
        piece.text for piece in sentence(Activity(at_us=1, actor="a", action=action, subject=subject, detail=detail))
    )


def test_every_action_has_words() -> None:
    assert tuple(SENTENCES) == ACTIONS


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


def test_what_the_sentence_leaves_out_or_cuts_is_untold() -> None:
    def left(action: Action, subject: str = "", **detail: object) -> dict[str, object]:
        return untold(Activity(at_us=1, actor="a", action=action, subject=subject, detail=detail))

    assert left("key.created", "pk-at-1", name="n", scopes=["read"], expires_us=9) == {"expires_us": 9}
    assert left("key.created", name="n", scopes=["read"]) == {"name": "n", "scopes": ["read"]}, "without a subject"
    many, long = list("abcdef"), "x" * 121
    assert left("rules.changed", "ab", set="abc", added=many, removed=["r"]) == {"set": "abc", "added": many}
    assert left("key.revoked", "pk-at-1", name=long) == {"name": long}
    assert left("approval.denied", "apr_1", rules=[long]) == {"rules": [long]}
