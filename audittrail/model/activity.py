"""What people and the system did, as it is kept for those who look into it later."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal, Self, get_args

import msgspec

from audittrail.model.errors import Invalid
from audittrail.model.filters import PAGE_SIZE, RANGES, Cursor, check_size
from audittrail.model.human import microseconds

Action = Literal[
    "server.started",
    "server.stopped",
    "auth.signed_in",
    "auth.sign_in_refused",
    "auth.signed_out",
    "account.created",
    "account.renamed",
    "account.password_changed",
    "account.role_changed",
    "account.removed",
    "project.created",
    "project.renamed",
    "member.added",
    "member.role_changed",
    "member.removed",
    "invitation.created",
    "invitation.revoked",
    "invitation.accepted",
    "key.created",
    "key.revoked",
    "rules.changed",
    "rules.refused",
    "approval.approved",
    "approval.denied",
    "approval.expired",
    "violation.acknowledged",
    "violation.resolved",
    "violation.reopened",
    "trace.deleted",
    "trace.remapped",
    "session.deleted",
    "retention.purged",
    "report.created",
    "report.deleted",
    "export.created",
    "backup.created",
    "backup.restored",
]
ACTIONS: tuple[Action, ...] = get_args(Action)

GROUPS: tuple[str, ...] = tuple(dict.fromkeys(action.partition(".")[0] for action in ACTIONS))
# These are of the whole instance, and concern everybody on it: every project is judged by them.
SHARED: tuple[Action, ...] = ("rules.changed", "rules.refused")

# Who does what no person and no key asked for.
SYSTEM = "system"
COMMAND_LINE = "command line"
# Who was refused. Nothing that was typed says who they are.
SOMEBODY = "somebody"


class Activity(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was done. Nothing of a trace's content is ever in it: ids, names of rules and keys, counts."""

    id: str = ""  # given when it is stored
    at_us: int
    actor: str  # an e-mail address, pk-at-…, SYSTEM, COMMAND_LINE or SOMEBODY
    action: Action
    subject: str = ""  # to whom or what: an address, a key's public part, a trace's id
    project_id: int | None = None  # None: it concerns the whole instance
    detail: dict[str, Any] = {}


class ActivityFilter(msgspec.Struct, frozen=True, kw_only=True):
    """A part of the log as it was asked for. Empty fields do not filter."""

    action: tuple[str, ...] = ()  # as asked for: names, or beginnings such as `key.`
    actor: str = ""
    range: str = ""  # a key of RANGES
    from_us: int | None = None
    to_us: int | None = None  # the first moment that is not asked for
    after: Cursor | None = None
    size: int = PAGE_SIZE

    @classmethod
    def parse(
        cls,
        *,
        action: Sequence[str] = (),
        actor: str = "",
        range: str = "",
        from_: str = "",
        to: str = "",
        after: str = "",
        size: int = PAGE_SIZE,
    ) -> Self:
        """From a URL's parameters. Raises Invalid, naming what is allowed."""
        check_size(size)
        action = tuple(dict.fromkeys(one for one in action if one))
        for one in action:
            if not matching(one):
                groups = ", ".join(f"{group}." for group in GROUPS)
                raise Invalid(f"An action is a name such as key.revoked, or one of {groups} for all of a kind.")
        if "\0" in actor:
            raise Invalid("A filter holds a NUL character, which no stored text does.")
        if range and range not in RANGES:
            raise Invalid(f"The time range is one of {', '.join(RANGES)}, or empty for any time.")
        return cls(
            action=action,
            actor=actor.strip(),
            range=range,
            from_us=_moment("from", from_),
            to_us=_moment("to", to),
            after=Cursor.parse(after) if after else None,
            size=size,
        )

    @property
    def actions(self) -> tuple[Action, ...]:
        """The actions asked for; empty for all."""
        return tuple(dict.fromkeys(each for one in self.action for each in matching(one)))

    def since_us(self, now_us: int) -> int | None:
        """The first moment asked for; None: from the beginning."""
        ranged = now_us - RANGES[self.range] * 1_000_000 if self.range else None
        return max((us for us in (ranged, self.from_us) if us is not None), default=None)

    @property
    def narrows(self) -> bool:
        """Whether anything filters at all."""
        return bool(self.action or self.actor or self.range) or (self.from_us, self.to_us) != (None, None)


def matching(asked: str) -> tuple[Action, ...]:
    """The actions of this name, or with this beginning, which ends in a dot."""
    return tuple(each for each in ACTIONS if each == asked or (asked.endswith(".") and each.startswith(asked)))


_RFC_3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)", re.ASCII)


def _moment(name: str, text: str) -> int | None:
    if not text:
        return None
    # A plus sign that was not escaped arrives as a blank.
    text = re.sub(r" (?=\d\d:\d\d$)", "+", text)
    try:
        if not _RFC_3339.fullmatch(text):
            raise ValueError
        return microseconds(datetime.fromisoformat(text.upper()))
    except (ValueError, OverflowError):
        raise Invalid(f"`{name}` is a time such as 2026-11-21T14:00:00Z (RFC 3339).") from None
