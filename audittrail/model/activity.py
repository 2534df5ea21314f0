"""What people and the system did, as it is kept for those who look into it later."""

from __future__ import annotations

from typing import Any, Literal, get_args

import msgspec

Action = Literal[
    "server.started",
    "server.stopped",
    "auth.signed_in",
    "auth.sign_in_refused",
    "auth.signed_out",
    "account.created",
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
    "session.deleted",
    "retention.purged",
    "report.created",
    "report.deleted",
    "export.created",
    "backup.created",
    "backup.restored",
]
ACTIONS: tuple[Action, ...] = get_args(Action)

# Who does what no person and no key asked for.
SYSTEM = "system"
COMMAND_LINE = "command line"


class Activity(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was done. Nothing of a trace's content is ever in it: ids, names of rules and keys, counts."""

    id: str = ""  # given when it is stored
    at_us: int
    actor: str  # an e-mail address, pk-at-…, SYSTEM or COMMAND_LINE
    action: Action
    subject: str = ""  # to whom or what: an address, a key's public part, a trace's id
    project_id: int | None = None  # None: it concerns the whole instance
    detail: dict[str, Any] = {}
