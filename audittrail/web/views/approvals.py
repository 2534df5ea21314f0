"""Views of what waits, or waited, for a person."""

from __future__ import annotations

from typing import Any

import msgspec

from audittrail.model.approval import APPROVAL_STATUSES, ApprovalFilter, ApprovalRequest
from audittrail.model.filters import Page
from audittrail.model.summary import TraceRow
from audittrail.model.verdict import Verdict
from audittrail.web.views.links import query
from audittrail.web.views.listing import Chip
from audittrail.web.views.outline import Item, compact, outline
from audittrail.web.views.violations import Seen, seen

APPROVAL_WORDS = {
    "pending": "Waiting",
    "approved": "Approved",
    "denied": "Denied",
    "expired": "Expired",
    "used": "Approved and used",
}


def preview(args: Any) -> str:
    """The arguments on one line."""
    return compact(args) if args is not None else ""


class ApprovalsView(msgspec.Struct, frozen=True, kw_only=True):
    """The desk. Template: pages/approvals.html (GET /approvals). Blocks: results (all but the title), more (older
    rows).

    Each waiting request has a form that posts to /approvals/{id}: `decision` (approve or deny), `reason`.
    """

    want: ApprovalFilter
    waiting: tuple[ApprovalRequest, ...]  # pending, the first to expire first
    found: Page[ApprovalRequest]  # of the history below
    can_answer: bool
    now_us: int
    nothing_yet: bool = False  # no action ever waited in this project
    said: str = ""  # approved or denied, when one was just answered

    def url(self, **changes: object) -> str:
        """This page with other parameters."""
        return "/approvals" + query(**({"status": self.want.status} | changes))

    @property
    def older(self) -> str:
        """The next page of the history; "" at the end."""
        return self.url(after=self.found.next) if self.found.next else ""

    @property
    def statuses(self) -> tuple[Chip, ...]:
        """What the history can be narrowed to; an empty value is all."""
        names = [name for name in APPROVAL_STATUSES if name != "pending"]
        return tuple(Chip(APPROVAL_WORDS.get(s, "All"), s, self.url(status=s)) for s in (*names, ""))

    def preview(self, request: ApprovalRequest) -> str:
        """The arguments on one line."""
        return preview(request.args)

    def left_us(self, request: ApprovalRequest) -> int:
        """Until it expires."""
        return max(0, request.expires_us - self.now_us)


class ApprovalView(msgspec.Struct, frozen=True, kw_only=True):
    """One request. Template: pages/approval.html (GET /approvals/{id}). Block: panel (all but the title).

    While it waits, its form posts to /approvals/{id}: `decision` (approve or deny), `reason`.
    """

    request: ApprovalRequest
    trace: TraceRow | None  # what the trace has used so far
    can_answer: bool
    now_us: int
    error: str = ""  # why the answer was not taken
    reason: str = ""  # as typed, when it was not

    @property
    def path(self) -> str:
        """Its own address."""
        return f"/approvals/{self.request.id}"

    @property
    def args(self) -> tuple[Item, ...]:
        """The exact arguments, as they are kept."""
        return outline(self.request.args) if self.request.args is not None else ()

    @property
    def left_us(self) -> int:
        """Until it expires."""
        return max(0, self.request.expires_us - self.now_us)

    @property
    def step(self) -> str:
        """The decision in its trace."""
        return f"/traces/{self.request.trace_id}" + query(span=self.request.span_id)

    def seen(self, one: Verdict) -> tuple[Seen, ...]:
        """What a rule that asked saw."""
        return seen(one.values)
