"""What was done, in words: the same ones on a page and on paper."""

from __future__ import annotations

from collections.abc import Mapping
from string import Formatter
from typing import Any

import msgspec

from audittrail.model.activity import Action, Activity
from audittrail.model.human import listed

# What the actor did: the first sentence all of whose fields are there. A field is of the line's detail, or its subject.
SENTENCES: Mapping[Action, tuple[str, ...]] = {
    "server.started": ("started version {version}, with schema {schema}", "started the server"),
    "server.stopped": ("stopped version {version}", "stopped the server"),
    "auth.signed_in": ("signed in from {address}", "signed in"),
    "auth.sign_in_refused": (
        "was refused a {wanted} as {subject} from {address}: {reason}",
        "was refused a {wanted} from {address}: {reason}",
        "was refused a sign-in",
    ),
    "auth.signed_out": ("signed out", "signed out"),
    "account.created": ("made the account {subject}, {role}", "made an account"),
    "account.renamed": ("is called “{name}” now, before “{before}”", "changed their name"),
    "account.password_changed": (
        "changed the password of {subject}; sessions ended: {sessions_ended}",
        "changed a password",
    ),
    "account.role_changed": ("made {subject}, who was {before}, {role} of this server", "changed an account’s role"),
    "account.removed": ("removed the account {subject}", "removed an account"),
    "project.created": ("made the project “{subject}”", "made a project"),
    "project.renamed": ("renamed the project “{before}” to “{subject}”", "renamed a project"),
    "member.added": ("added {subject} as {role}", "added a member"),
    "member.role_changed": ("made {subject}, who was {before}, {role}", "changed a member’s role"),
    "member.removed": ("removed {subject}, who was {role}", "removed a member"),
    "invitation.created": (
        "invited {subject} as {role}; on this server {instance_role}",
        "invited {subject} to this server as {instance_role}",
        "invited someone",
    ),
    "invitation.revoked": ("revoked the invitation of {subject}", "revoked an invitation"),
    "invitation.accepted": ("accepted an invitation", "accepted an invitation"),
    "key.created": ("made the key “{name}” ({subject}), which may {scopes}", "made a key"),
    "key.revoked": ("revoked the key “{name}” ({subject})", "revoked a key"),
    "rules.changed": (
        "put the rule set {subject} in force: added {added}, removed {removed}, changed {changed}",
        "put the rule set {subject} in force: added {added}, removed {removed}",
        "put the rule set {subject} in force: added {added}, changed {changed}",
        "put the rule set {subject} in force: removed {removed}, changed {changed}",
        "put the rule set {subject} in force: added {added}",
        "put the rule set {subject} in force: removed {removed}",
        "put the rule set {subject} in force: changed {changed}",
        "put the rule set {subject} in force, with the same rules as before",
        "put a rule set in force",
    ),
    "rules.refused": ("did not put changed rules in force; see {places}", "did not put changed rules in force"),
    "approval.approved": ("approved an action that {rules} held back", "approved an action"),
    "approval.denied": ("denied an action that {rules} held back", "denied an action"),
    "approval.expired": (
        "closed an approval that nobody answered, asked for by {rules}",
        "closed an approval that nobody answered",
    ),
    "violation.acknowledged": ("acknowledged a violation of {rule}", "acknowledged a violation"),
    "violation.resolved": ("resolved a violation of {rule}", "resolved a violation"),
    "violation.reopened": ("reopened a violation of {rule}", "reopened a violation"),
    "trace.deleted": ("deleted the trace {subject}", "deleted {traces} traces", "deleted a trace"),
    "trace.remapped": ("mapped stored traces again: {traces} changed, in {spans} spans", "mapped stored traces again"),
    "session.deleted": ("deleted the traces of a session: {traces}", "deleted the traces of a session"),
    "retention.purged": ("purged what had grown old: traces {traces}, spans {spans}", "purged what had grown old"),
    "report.created": ("asked for a report ({kind}): {subject}", "asked for a report"),
    "report.deleted": ("deleted a report ({kind}): {subject}", "deleted a report"),
    "export.created": (
        "exported {subject} as {format}: traces {traces}, spans {spans}",
        "exported the {what} log",
        "took out an export",
    ),
    "backup.created": ("made the backup {subject}", "made a backup"),
    "backup.restored": ("restored the backup {subject}", "restored a backup"),
}
_MOST = 5  # of a list in a sentence
_LONGEST = 120


class Piece(msgspec.Struct, frozen=True):
    """A part of a sentence: ours, or somebody's."""

    text: str
    given: bool = False


def sentence(one: Activity) -> tuple[Piece, ...]:
    """What was done, in words."""
    values = _values(one)
    pieces = []
    for plain, name in _fullest(one):
        pieces.append(Piece(plain))
        if name is not None:
            pieces.append(Piece(_said(values[name]), given=True))
    return tuple(piece for piece in pieces if piece.text)


def untold(one: Activity) -> dict[str, Any]:
    """The details that the sentence does not have, or has not whole."""
    told = {name for _, name in _fullest(one)}
    return {name: value for name, value in one.detail.items() if name not in told or _cut(value)}


def _values(one: Activity) -> dict[str, Any]:
    return {"subject": one.subject} | one.detail


def _fullest(one: Activity) -> list[tuple[str, str | None]]:
    """The first sentence all of whose fields are there: a text of ours and the field after it, again and again."""
    values = _values(one)
    for text in SENTENCES[one.action]:
        parts = [(plain, name) for plain, name, _, _ in Formatter().parse(text)]
        if all(_said(values.get(name)) for _, name in parts if name is not None):
            break
    return parts


def _said(value: Any) -> str:
    if isinstance(value, list):
        shown = [_short(str(each)) for each in value[:_MOST]]
        return listed([*shown, f"{len(value) - _MOST:,} more"] if len(value) > _MOST else shown)
    if isinstance(value, bool) or value is None:
        return ""
    return f"{value:,}" if isinstance(value, int) else _short(str(value))


def _cut(value: Any) -> bool:
    if isinstance(value, list):
        return len(value) > _MOST or any(map(_cut, value))
    return isinstance(value, str) and len(value) > _LONGEST


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
