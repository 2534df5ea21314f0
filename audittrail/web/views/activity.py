"""The view of the activity log: each line in words, and where it leads."""

from __future__ import annotations

from typing import ClassVar

import msgspec

from audittrail.model.activity import GROUPS, Activity, ActivityFilter
from audittrail.model.activity_words import Piece, sentence
from audittrail.model.filters import Page
from audittrail.web.views.links import query
from audittrail.web.views.listing import Chip, RangedView

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
