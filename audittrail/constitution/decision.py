"""A decision as a span of the trace that it is about, so that the record shows what was asked and what was answered."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec.structs import replace

from audittrail.model.approval import ApprovalRequest
from audittrail.model.record import Scope, SpanRecord
from audittrail.model.verdict import Action, Answer, Verdict

SCOPE = Scope(name="audittrail.check")


def decision_record(
    action: Action,
    answer: Answer,
    reasons: Sequence[Verdict],
    *,
    trace_id: str,
    span_id: str,
    parent_id: str | None,
    rule_set: str,
    approval_id: str | None,
    started_us: int,
    ended_us: int | None,
) -> SpanRecord:
    """A guardrail span. Without an end it waits for a person."""
    said: dict[str, Any] = {
        "audittrail.kind": "guardrail",
        "audittrail.status": "blocked" if answer == "deny" else None,
        "audittrail.agent.name": action.agent,
        "audittrail.session.id": action.session_id,
        "audittrail.user.id": action.end_user,
        "audittrail.input": {"kind": action.kind, "name": action.name, "args": action.args},
        "audittrail.output": _output(answer, reasons),
        "audittrail.check.decision": answer,
        "audittrail.check.rules": [verdict.rule_id for verdict in reasons],
        "audittrail.check.rule_set": rule_set,
        "audittrail.approval.id": approval_id,
    }
    return SpanRecord(
        trace_id=trace_id,
        span_id=span_id,
        parent_id=parent_id,
        name=f"check {action.name}",
        started_ns=started_us * 1000,
        ended_ns=None if ended_us is None else ended_us * 1000,
        attributes={name: value for name, value in said.items() if value is not None},
        scope=SCOPE,
        pii=action.pii,
    )


def answered_record(record: SpanRecord, request: ApprovalRequest, ended_us: int) -> SpanRecord:
    """The same span once the request was answered, or nobody did in time."""
    answer = request.decision
    said: dict[str, Any] = {
        "audittrail.status": "blocked" if answer == "deny" else None,
        "audittrail.output": _output(answer, request.reasons) | {"approval": request.status, "reason": request.reason},
        "audittrail.check.decision": answer,
        "audittrail.approval.status": request.status,
    }
    attributes = record.attributes | {name: value for name, value in said.items() if value is not None}
    return replace(record, ended_ns=ended_us * 1000, attributes=attributes)


def _output(answer: Answer, reasons: Sequence[Verdict]) -> dict[str, Any]:
    return {
        "decision": answer,
        "reasons": [{"rule": v.rule_id, "outcome": v.outcome, "message": v.message} for v in reasons],
    }
