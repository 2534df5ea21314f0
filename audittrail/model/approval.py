"""An action that waits, or waited, for a person."""

from __future__ import annotations

import re
from typing import Any, Literal, Self, get_args

import msgspec

from audittrail.model.filters import PAGE_SIZE, Cursor, check_size, one_of
from audittrail.model.span import Kind
from audittrail.model.verdict import Answer, Verdict

ApprovalStatus = Literal["pending", "approved", "denied", "expired", "used"]
APPROVAL_STATUSES: tuple[ApprovalStatus, ...] = get_args(ApprovalStatus)
ID = re.compile(r"apr_[0-9a-f]{32}")
MAX_REASON = 2_000  # characters


class ApprovalRequest(msgspec.Struct, frozen=True, kw_only=True):
    """One request: bound to the exact action, to be used once, and only until it expires."""

    id: str
    status: ApprovalStatus
    kind: Kind
    name: str
    args: Any  # redacted
    agent: str | None
    end_user: str | None
    trace_id: str
    span_id: str  # of the decision
    reasons: tuple[Verdict, ...]  # of the rules that asked
    pii: dict[str, int] = {}  # what was redacted in the arguments
    requested_us: int
    requested_by: str  # pk-at-…
    timeout: int  # seconds: to answer, and then to use the answer
    on_timeout: Literal["deny", "allow"]
    expires_us: int  # until then it may be answered; once approved, used
    decided_us: int | None = None
    decided_by: str | None = None
    reason: str = ""
    used_us: int | None = None

    def at(self, now_us: int) -> Self:
        """As it stands at that time: what nobody answered, or used, in time has expired."""
        if self.used_us is not None:
            return msgspec.structs.replace(self, status="used")
        over = self.status in ("pending", "approved") and self.expires_us <= now_us
        return msgspec.structs.replace(self, status="expired") if over else self

    @property
    def unanswered(self) -> bool:
        """Whether its time ran out before anybody answered."""
        return self.status == "expired" and self.decided_by is None

    @property
    def decision(self) -> Answer:
        """What the same action would be told now."""
        if self.status == "approved" or (self.unanswered and self.on_timeout == "allow"):
            return "allow"
        return "deny" if self.status == "denied" or self.unanswered else "require_approval"


class ApprovalFilter(msgspec.Struct, frozen=True, kw_only=True):
    """A list of approvals as it was asked for."""

    status: ApprovalStatus | None = None
    from_us: int | None = None  # asked for then or later; no parameter of a URL
    until_us: int | None = None  # asked for before
    trace: str = ""  # as those
    after: Cursor | None = None
    size: int = PAGE_SIZE

    @classmethod
    def parse(cls, *, status: str = "", after: str = "", size: int = PAGE_SIZE) -> Self:
        """From a URL's parameters. Raises Invalid, naming what is allowed."""
        check_size(size)
        return cls(
            status=one_of("status", status, APPROVAL_STATUSES),
            after=Cursor.parse(after) if after else None,
            size=size,
        )
