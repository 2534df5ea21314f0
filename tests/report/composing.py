"""Facts to compose reports from: as little or as much as a test wants."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from audittrail.model.activity import Activity
from audittrail.model.analytics import BYS, Bucket, Group, Totals, buckets, days, measures
from audittrail.model.approval import ApprovalRequest
from audittrail.model.report import Report
from audittrail.model.summary import SpanRow, TraceRow
from audittrail.model.tally import Received, RefusedReason
from audittrail.model.usage import Sums
from audittrail.model.verdict import OUTCOMES, Verdict
from audittrail.model.violation import RuleCount, Violation
from audittrail.report.facts import AuditFacts, PeriodFacts, RecordMark, RuleFact, TraceFacts

DAY = 86_400_000_000
FROM, TO = 20_000 * DAY, 20_030 * DAY
MADE = TO + 5
TRACE = "ab" * 16
# What could be taken for something else than text by whoever draws it.
HOSTILE = "<script>alert(1)</script>{{ 7*7 }}%s${x}\x00\u202egnp.exe=CMD()&amp;<b>" + "W" * 3_000 + "\n😀"


def report(kind: str = "audit", **fields: Any) -> Report:
    values: dict[str, Any] = {
        "id": "rep_" + "1" * 32,
        "kind": kind,
        "title": "A report",
        "trace_id": TRACE if kind == "trace" else "",
        "from_us": FROM,
        "to_us": TO,
        "requested_us": MADE,
        "requested_by": "ann@example.org",
    }
    return Report(**values | fields)


def sums(count: int = 4, errors: int = 1) -> Sums:
    found = Sums(count, errors, 0, 0, 2, 1_000, 50, 2, 1, Decimal("0.25"))
    for n in range(count):
        found.took(1_000_000 * (n + 1))
    return found


def numbers(found: Sums | None = None, violations: int = 0) -> dict[str, Any]:
    series: tuple[Bucket, ...] = buckets(days(FROM, TO, MADE), [(FROM + 3 * DAY, found)] if found else [], [])
    return {
        "totals": Totals(
            from_us=FROM,
            until_us=TO,
            traces=(found or Sums()).count,
            violations=violations,
            **measures(found or Sums()),
        ),
        "received": Received(4, 19, 2, 5) if found else Received(),
        "series": series,
        "groups": {by: (Group(name=None, calls=4, **measures(found)),) if found else () for by in BYS},
    }


def violation(number: int = 1, **fields: Any) -> Violation:
    values: dict[str, Any] = {
        "id": f"{number:016x}",
        "trace_id": TRACE,
        "span_id": f"{number:016x}",
        "rule_id": "bulk-delete-prevention",
        "version": "f" * 64,
        "title": "No bulk deletes",
        "severity": "critical",
        "mode": "enforce",
        "effect": "deny",
        "outcome": "violation",
        "message": f"touches {number} rows",
        "evidence": (f"{number:016x}", f"{number + 1:016x}"),
        "controls": ("SOC2-CC7.2",),
        "agent": "cleaner",
        "found_us": FROM + number,
        "status": "resolved",
        "note": "looked into",
        "changed_us": FROM + DAY,
        "changed_by": "rita@example.org",
    }
    return Violation(**values | fields)


def approval(**fields: Any) -> ApprovalRequest:
    reason = Verdict(
        rule_id="r", version="v", title="t", severity="high", mode="enforce", effect="require_approval",
        outcome="violation", message="needs a person",
    )  # fmt: skip
    values: dict[str, Any] = {
        "id": "apr_" + "2" * 32,
        "status": "denied",
        "kind": "tool",
        "name": "delete_records",
        "args": {"count": 250},
        "agent": "cleaner",
        "end_user": None,
        "trace_id": TRACE,
        "span_id": "1" * 16,
        "reasons": (reason,),
        "requested_us": FROM + 7,
        "requested_by": "pk-at-x",
        "timeout": 300,
        "on_timeout": "deny",
        "expires_us": FROM + 8,
        "decided_us": FROM + 8,
        "decided_by": "rita@example.org",
        "reason": "too many rows",
    }
    return ApprovalRequest(**values | fields)


def period_facts(**fields: Any) -> PeriodFacts:
    values: dict[str, Any] = {"report": report("period"), "project": "shop", "version": "1", "made_us": MADE}
    return PeriodFacts(**values | numbers() | fields)


def audit_facts(**fields: Any) -> AuditFacts:
    values: dict[str, Any] = {
        "report": report(),
        "project": "shop",
        "version": "1",
        "made_us": MADE,
        "rules": (),
        "verdicts": {},
        "approvals": (),
        "refused": (),
        "redacted": {},
        "redacted_traces": 0,
        "activity": (),
        "retention_days": 90,
        "redaction": True,
    }
    return AuditFacts(**values | numbers() | fields)


def full_audit(text: str = "word") -> AuditFacts:
    """Something of everything, with this text wherever somebody else may have written it."""
    rule = RuleFact(
        id="r-1", title=text, version="e" * 64, in_force=True, severity="high", mode="observe", effect="warn",
        controls=(text,), found={"violation": 3}, judged=RuleCount("r-1", 5, 1, 3, 0),
    )  # fmt: skip
    return audit_facts(
        **numbers(sums(), 3),
        project=text,
        report=report(title=text, requested_by=text),
        rules=(rule,),
        verdicts={
            outcome: (violation(1, outcome=outcome, title=text, message=text, note=text, agent=text, controls=(text,)),)
            for outcome in OUTCOMES
        },
        approvals=(approval(name=text, args={text: text}, agent=text, reason=text),),
        refused=(RefusedReason("traces", text, 4, 2),),
        redacted={text: 7, "email": 2},
        redacted_traces=2,
        activity=(
            Activity(id="1", at_us=FROM, actor=text, action="key.created", subject=text, detail={"name": text, "n": 3}),
            Activity(id="2", at_us=FROM, actor="system", action="retention.purged", detail={"traces": 12}),
        ),
    )


def trace_facts(text: str = "word", spans: tuple[SpanRow, ...] | None = None, **fields: Any) -> TraceFacts:
    made = (
        SpanRow(TRACE, "1" * 16, None, "agent", text, "error", FROM, FROM + 5_000_000, agent=text, error=text),
        SpanRow(TRACE, "2" * 16, "1" * 16, "llm", text, "ok", FROM + 1, FROM + 2_000_000, model=text, input_tokens=5),
        SpanRow(TRACE, "3" * 16, "9" * 16, "tool", "", "running", FROM + 2, None, tool=text),
    )
    values: dict[str, Any] = {
        "report": report("trace", title=text),
        "project": "shop",
        "version": "1",
        "made_us": MADE,
        "trace": TraceRow(TRACE, text, "error", FROM, FROM + 5_000_000, agent=text, error=text, span_count=3),
        "spans": made if spans is None else spans,
        "root": None,
        "verdicts": (violation(message=text),),
        "approvals": (approval(),),
        "records": (RecordMark("1" * 16, 1, 2, FROM, 300, "c" * 64),),
    }
    return TraceFacts(**values | fields)
