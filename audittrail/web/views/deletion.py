"""Views of deleting: what is asked before, and what is said afterwards; and of what is kept for how long."""

from __future__ import annotations

from typing import Literal

import msgspec

from audittrail.model.activity import Activity
from audittrail.model.retention import DAY_US


class DeleteView(msgspec.Struct, frozen=True, kw_only=True):
    """Template: pages/delete.html (GET /traces/{id}/delete, GET /sessions/{id}/delete). Posts to its own address."""

    what: Literal["trace", "session"]
    name: str
    id: str
    path: str  # of the trace or session
    project: str
    traces: int
    spans: int
    bytes: int


class DeletedView(msgspec.Struct, frozen=True, kw_only=True):
    """Template: pages/deleted.html (GET /deletions/{id}, and in place of a trace that was deleted)."""

    what: Literal["trace", "session"]
    id: str
    at_us: int
    by: str
    traces: int
    spans: int
    bytes: int

    @classmethod
    def of(cls, entry: Activity) -> DeletedView:
        """What the activity log says of a deletion."""
        traces, spans, size = (int(entry.detail.get(name, 0)) for name in ("traces", "spans", "bytes"))
        what: Literal["trace", "session"] = "session" if entry.action == "session.deleted" else "trace"
        return cls(
            what=what, id=entry.subject, at_us=entry.at_us, by=entry.actor, traces=traces, spans=spans, bytes=size
        )


class DataView(msgspec.Struct, frozen=True, kw_only=True):
    """Template: pages/settings/data.html (GET /settings/data): what is there, how long it stays, what went."""

    days: int  # 0: for ever
    time_us: int  # by which retention goes
    oldest_us: int | None  # when the project's first trace began
    traces: int
    spans: int
    database_bytes: int  # of the whole server
    gone: tuple[Activity, ...]  # purges and deletions, newest first
    warning: str
    can_delete: bool

    @property
    def horizon_us(self) -> int:
        """What has not changed since then goes next."""
        return self.time_us - self.days * DAY_US
