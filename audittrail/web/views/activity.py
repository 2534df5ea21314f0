"""The view of the activity log: each line in words, and where it leads."""

from __future__ import annotations

from collections.abc import Mapping
from string import Formatter
from typing import Any, ClassVar

import msgspec

from audittrail.model.activity import GROUPS, Action, Activity, ActivityFilter
from audittrail.model.filters import Page
from audittrail.model.human import listed
from audittrail.web.views.links import query
from audittrail.web.views.listing import Chip, RangedView

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
# Where a line of a kind leads; "{}" is its subject.
_PLACES = {
    "approval": "/approvals/{}",
    "violation": "/violations/{}",
    "report.created": "/reports/{}",
    "key": "/settings/keys",
    "member": "/settings/members",
    "invitation": "/settings/members",
    "project": "/settings/project",
    "rules": "/constitution",
}
GROUP_WORDS = {
    "server": "Server",
    "auth": "Signing in and out",
    "account": "Accounts",
    "project": "Projects",
    "member": "Members",
    "invitation": "Invitations",
    "key": "API keys",
    "rules": "Rules",
    "approval": "Approvals",
    "violation": "Violations",
    "trace": "Deleted traces",
    "session": "Deleted sessions",
    "retention": "Retention",
    "report": "Reports",
    "export": "Exports",
    "backup": "Backups",
}
_MOST = 5  # of a list in a sentence
_LONGEST = 120


class Piece(msgspec.Struct, frozen=True):
    """A part of a sentence: ours, or somebody's."""

    text: str
    given: bool = False


def sentence(one: Activity) -> tuple[Piece, ...]:
    """What was done, in words."""
    values = {name: _said(value) for name, value in ({"subject": one.subject} | one.detail).items()}
    for text in SENTENCES[one.action]:
        parts = list(Formatter().parse(text))
        if all(values.get(name) for _, name, _, _ in parts if name is not None):
            break
    pieces = []
    for plain, name, _, _ in parts:
        pieces.append(Piece(plain))
        if name is not None:
            pieces.append(Piece(values[name], given=True))
    return tuple(piece for piece in pieces if piece.text)


def _said(value: Any) -> str:
    if isinstance(value, list):
        shown = [_short(str(each)) for each in value[:_MOST]]
        return listed([*shown, f"{len(value) - _MOST:,} more"] if len(value) > _MOST else shown)
    if isinstance(value, bool) or value is None:
        return ""
    return f"{value:,}" if isinstance(value, int) else _short(str(value))


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def place(one: Activity) -> str:
    """The page it leads to, for whoever looks at its project; "" where there is none."""
    path = _PLACES.get(one.action) or _PLACES.get(one.action.partition(".")[0], "")
    if "{}" not in path:
        return path
    # A subject is an id of ours here; whatever else it was would be no address.
    plain = one.subject.isascii() and one.subject.replace("_", "").replace("-", "").isalnum()
    return path.format(one.subject) if plain else ""


class ActivityRow(msgspec.Struct, frozen=True, kw_only=True):
    """A line of the log."""

    one: Activity
    words: tuple[Piece, ...]
    href: str  # where it leads, or ""
    project: str  # the name of its project where that is not the one looked at
    by_actor: str  # the log of this actor


class ActivityView(RangedView, frozen=True, kw_only=True):
    """Template: pages/settings/activity.html (GET /settings/activity). Blocks: results, more (older rows)."""

    PATH: ClassVar[str] = "/settings/activity"

    want: ActivityFilter
    found: Page[Activity]
    current: int | None  # the project looked at
    projects: dict[int, str]  # those seen, by id
    project: str = ""  # the id of the only one asked for
    instance: bool = False
    can_export: bool = False

    def url(self, **changes: object) -> str:
        """The log with other parameters, from its newest on."""
        kept: dict[str, object] = {
            "range": self.want.range,
            "action": self.want.action,
            "actor": self.want.actor,
            "project": self.project,
        }
        return self.PATH + query(**(kept | changes))

    @property
    def rows(self) -> tuple[ActivityRow, ...]:
        """The lines of the page."""
        return tuple(self._row(one) for one in self.found.items)

    def _row(self, one: Activity) -> ActivityRow:
        here = one.project_id in (None, self.current)
        return ActivityRow(
            one=one,
            words=sentence(one),
            href=place(one) if here else "",
            project="" if here else self.projects.get(one.project_id or 0, ""),
            by_actor=self.url(actor=one.actor),
        )

    @property
    def groups(self) -> tuple[tuple[str, str], ...]:
        """(value, words) of the kinds to choose from."""
        return tuple((f"{group}.", GROUP_WORDS[group]) for group in GROUPS)

    @property
    def chips(self) -> tuple[Chip, ...]:
        """The filters in force that have no field of their own."""
        known = {value for value, _ in self.groups}
        chosen = (one for one in self.want.action if one not in known or len(self.want.action) > 1)
        return tuple(
            Chip("action", one, self.url(action=tuple(a for a in self.want.action if a != one))) for one in chosen
        )

    @property
    def cleared(self) -> str:
        """The log without any chip."""
        return self.url(action=())

    @property
    def download(self) -> str:
        """All that is asked for, as a file."""
        asked = {"action": self.want.action, "actor": self.want.actor, "range": self.want.range}
        return "/api/v1/activity/export" + query(**asked, project=self.project)
