"""May I? Asked before an action, answered by the rules, and recorded as a span of the trace."""

from __future__ import annotations

import asyncio
import secrets
from typing import Annotated, Any, Literal

import msgspec
from litestar import Request, Response, post
from msgspec.structs import replace

from audittrail.constitution.decision import decision_record
from audittrail.ingest.body import BodyLimits
from audittrail.ingest.jsontext import TooDeep, clean, parse
from audittrail.ingest.pipeline import prepare
from audittrail.model.approval import ApprovalRequest
from audittrail.model.batch import Batch
from audittrail.model.errors import AuditTrailError, Invalid, UnsupportedMedia
from audittrail.model.span import Kind
from audittrail.model.verdict import Action, Answer, Decision, Effect, Mode, Outcome, Severity
from audittrail.runtime import Runtime
from audittrail.store import spans as span_store
from audittrail.store import traces as trace_store
from audittrail.web.api.bodies import Body
from audittrail.web.api.intake import INLINE_BYTES, drain, read_request
from audittrail.web.auth import agent_key

LIMITS = BodyLimits(1 << 20, 1 << 20)
# A trace of 500 spans is judged in a millisecond; more leave the event loop to others.
INLINE_SPANS = 500

_Request = Request[Any, Any, Any]
TraceId = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{32}$", description="32 lower-case hex digits")]
SpanId = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{16}$", description="16 lower-case hex digits")]


class AskedAction(Body, frozen=True):
    """What is about to be done."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=1000, description="the tool's or the model's name")]
    kind: Kind = "tool"
    args: Annotated[Any, msgspec.Meta(description="exactly what the tool would be called with; any JSON")] = None
    model: str | None = None
    provider: str | None = None


class Asked(Body, frozen=True):
    """A question before an action."""

    action: AskedAction
    stage: Literal["before"] = "before"
    agent: str | None = None
    session_id: str | None = None
    end_user: str | None = None
    trace_id: Annotated[TraceId | None, msgspec.Meta(description="the trace it belongs to; without, a new one")] = None
    parent_id: SpanId | None = None
    approval_id: Annotated[
        str | None, msgspec.Meta(description="of an earlier answer; not needed: an approval is found by the action")
    ] = None


class Reason(msgspec.Struct, frozen=True):
    """What one rule said."""

    rule_id: str
    title: str
    severity: Severity
    mode: Mode
    effect: Effect
    outcome: Outcome
    message: str
    controls: tuple[str, ...]


class Checked(msgspec.Struct, frozen=True, kw_only=True):
    """The answer. Only `allow` and `warn` mean: go ahead."""

    decision: Answer
    reasons: tuple[Reason, ...]
    approval_id: str | None = None
    approval_status: str | None = None
    approval_expires_us: int | None = None
    approval_reason: str | None = None
    trace_id: str
    span_id: str  # of the decision
    rule_set: str


@post(
    "/api/v1/check",
    status_code=200,
    request_max_body_size=None,  # `read_request` has limits of its own
    tags=["govern"],
    summary="May this action be done?",
)
async def check(request: _Request, runtime: Runtime) -> Response[Checked]:
    """Judged by the rules of stage `before`; a span of the trace says what was asked and answered."""
    key = await agent_key(request, runtime, "check")
    asked, size = await _read(request)
    started_us = runtime.now_us()
    action = Action(
        kind=asked.action.kind,
        name=asked.action.name,
        args=asked.action.args,
        agent=asked.agent,
        model=asked.action.model,
        provider=asked.action.provider,
        session_id=asked.session_id,
        end_user=asked.end_user,
    )
    if size > INLINE_BYTES:
        kept = await asyncio.to_thread(_redacted, runtime, action)
    else:
        kept = _redacted(runtime, action)
    decision = await _decide(runtime, key.project_id, kept, asked.trace_id)
    trace_id = asked.trace_id or secrets.token_hex(16)
    span_id = secrets.token_hex(8)
    answer, approval = decision.decision, None
    if decision.decision == "require_approval":
        approval = await runtime.approvals.ask(
            key.project_id, action, kept, decision, by=key.public, trace_id=trace_id, span_id=span_id
        )
        answer = approval.decision
    waits = approval is not None and approval.span_id == span_id
    record = decision_record(
        kept,
        answer,
        decision.reasons,
        trace_id=trace_id,
        span_id=span_id,
        parent_id=asked.parent_id,
        rule_set=decision.rule_set,
        approval_id=approval.id if approval else None,
        started_us=started_us,
        ended_us=None if waits else runtime.now_us(),
    )
    batch = Batch(key.project_id, prepare([record], runtime.redactor))
    if waits:
        # Its end is written when somebody answers, so its beginning must be there by then.
        await runtime.writer.submit(batch)
    else:
        # An agent does not wait for the disk to be told what the rules say.
        runtime.writer.keep(batch)
    return Response(_answer(decision, answer, approval, trace_id, span_id))


async def _read(request: _Request) -> tuple[Asked, int]:
    media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media != "application/json":
        raise UnsupportedMedia("Send the body as application/json.")
    try:
        body = await read_request(request, LIMITS)
    except AuditTrailError:
        await drain(request)
        raise
    try:
        return msgspec.convert(clean(parse(body)), Asked), len(body)
    except TooDeep:
        raise Invalid("The action is nested more deeply than 64 levels.") from None
    except msgspec.ValidationError as error:
        raise Invalid(f"{error}. See /schema/openapi.json for the fields of a check.") from None
    except ValueError:
        raise Invalid("The body is not JSON.") from None


def _redacted(runtime: Runtime, action: Action) -> Action:
    if runtime.redactor is None:
        return action
    fields = ("name", "args", "agent", "model", "provider", "session_id", "end_user")
    kept, counts = runtime.redactor.redact_value({name: getattr(action, name) for name in fields})
    return replace(action, **kept, pii=counts)


async def _decide(runtime: Runtime, project_id: int, action: Action, trace_id: str | None) -> Decision:
    law = runtime.constitution
    if trace_id is None or not law.rules.candidates("trace", "before"):
        return law.decide(action)
    async with runtime.db.read() as conn:
        trace = await trace_store.trace(conn, project_id, trace_id, runtime.now_us())
        spans = await span_store.rows_of_trace(conn, project_id, trace_id) if trace else []
    if len(spans) > INLINE_SPANS:
        return await asyncio.to_thread(law.decide, action, trace, spans)
    return law.decide(action, trace, spans)


def _answer(
    decision: Decision, answer: Answer, approval: ApprovalRequest | None, trace_id: str, span_id: str
) -> Checked:
    reasons = tuple(
        Reason(v.rule_id, v.title, v.severity, v.mode, v.effect, v.outcome, v.message, v.controls)
        for v in decision.reasons
    )
    return Checked(
        decision=answer,
        reasons=reasons,
        approval_id=approval.id if approval else None,
        approval_status=approval.status if approval else None,
        approval_expires_us=approval.expires_us if approval else None,
        approval_reason=approval.reason or None if approval else None,
        trace_id=trace_id,
        span_id=span_id,
        rule_set=decision.rule_set,
    )


ROUTES = [check]
