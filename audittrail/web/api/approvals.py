"""Approvals: waited for by agents, answered by people."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from litestar import Request, get, post
from litestar.params import Parameter

from audittrail.model.approval import MAX_REASON, ApprovalFilter, ApprovalRequest
from audittrail.model.filters import PAGE_SIZE
from audittrail.model.verdict import Answer
from audittrail.runtime import Runtime
from audittrail.store import approvals as approval_store
from audittrail.web.api.bodies import Body, json_only
from audittrail.web.api.listing import Listing
from audittrail.web.auth import access, person, require_role

MAX_WAIT = 60  # seconds; proxies cut longer silences

_Request = Request[Any, Any, Any]


class ApprovalState(msgspec.Struct, frozen=True, kw_only=True):
    """An approval as an agent needs it: `decision` is what the same action would be told now."""

    id: str
    status: str
    decision: Answer
    reason: str
    decided_by: str | None
    expires_us: int
    request: ApprovalRequest

    @classmethod
    def of(cls, request: ApprovalRequest) -> ApprovalState:
        """Of a request."""
        return cls(
            id=request.id,
            status=request.status,
            decision=request.decision,
            reason=request.reason,
            decided_by=request.decided_by,
            expires_us=request.expires_us,
            request=request,
        )


class Answered(Body, frozen=True):
    """A person's answer."""

    decision: Literal["approve", "deny"]
    reason: Annotated[str, msgspec.Meta(max_length=MAX_REASON)] = ""


@get("/api/v1/approvals/{approval_id:str}", tags=["govern"], summary="How an approval stands; may wait for the answer")
async def get_approval(
    request: _Request,
    runtime: Runtime,
    approval_id: str,
    wait: Annotated[float, Parameter(ge=0, le=MAX_WAIT, description="Seconds to wait while it is pending.")] = 0,
) -> ApprovalState:
    """Returns as soon as it is no longer pending, or after `wait` seconds as it is."""
    who = await access(request, runtime, "check", "read")
    return ApprovalState.of(await runtime.approvals.wait(who.project_id, approval_id, wait))


@get("/api/v1/approvals", tags=["govern"], summary="List approvals, newest first")
async def list_approvals(
    request: _Request, runtime: Runtime, status: str = "", after: str = "", limit: int = PAGE_SIZE
) -> Listing[ApprovalRequest]:
    """Of the project; status is pending, approved, denied, expired or used."""
    who = await access(request, runtime)
    want = ApprovalFilter.parse(status=status, after=after, size=limit)
    async with runtime.db.read() as conn:
        found = await approval_store.list_approvals(conn, who.project_id, want, runtime.now_us())
    return Listing(list(found.items), found.next)


@post(
    "/api/v1/approvals/{approval_id:str}",
    status_code=200,
    guards=[json_only],
    tags=["govern"],
    summary="Approve or deny, as a signed-in reviewer or owner",
)
async def answer_approval(request: _Request, runtime: Runtime, approval_id: str, data: Answered) -> ApprovalState:
    """For people alone: whoever asks must not be who answers."""
    who = await person(request, runtime)
    member = require_role(who, "reviewer")
    status: Literal["approved", "denied"] = "approved" if data.decision == "approve" else "denied"
    return ApprovalState.of(
        await runtime.approvals.answer(
            member.project.id, approval_id, status, by=who.user.email, reason=runtime.kept(data.reason)
        )
    )


ROUTES = [get_approval, list_approvals, answer_approval]
