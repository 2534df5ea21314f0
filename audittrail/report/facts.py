"""What a report is made from. Gathered by whoever has the database; composed by the modules beside this one."""

from __future__ import annotations

import msgspec

from audittrail.model.activity import Activity
from audittrail.model.analytics import Bucket, By, Group, Totals
from audittrail.model.approval import ApprovalRequest
from audittrail.model.report import Report
from audittrail.model.span import Span
from audittrail.model.summary import SpanRow, TraceRow
from audittrail.model.tally import Received, RefusedReason
from audittrail.model.verdict import Effect, Mode, Outcome, Severity
from audittrail.model.violation import RuleCount, Violation


class PeriodFacts(msgspec.Struct, frozen=True, kw_only=True):
    """Of a project over a range of time."""

    report: Report
    project: str
    version: str  # of AuditTrail
    made_us: int
    totals: Totals
    received: Received
    series: tuple[Bucket, ...]
    groups: dict[By, tuple[Group, ...]]  # the most used first
    top: tuple[tuple[str, str, int], ...] = ()  # (rule id, its title, violations), the most first


class RuleFact(msgspec.Struct, frozen=True, kw_only=True):
    """A rule that is in force, or one whose verdicts stand. Counts of verdicts that stand; `judged` is to the hour."""

    id: str
    title: str
    version: str
    in_force: bool
    severity: Severity | None = None  # None: not known any more
    mode: Mode | None = None
    effect: Effect | None = None
    controls: tuple[str, ...] = ()
    found: dict[str, int] = {}  # by outcome
    judged: RuleCount | None = None


class AuditFacts(PeriodFacts, frozen=True, kw_only=True):
    """All that an auditor asks of it."""

    rules: tuple[RuleFact, ...]
    verdicts: dict[Outcome, tuple[Violation, ...]]  # newest first
    approvals: tuple[ApprovalRequest, ...]
    refused: tuple[RefusedReason, ...]
    redacted: dict[str, int]  # by type
    redacted_traces: int
    activity: tuple[Activity, ...]
    left_out: dict[str, int] = {}  # of a list that is longer than a report can hold: how many are not in it
    retention_days: int
    redaction: bool


class RecordMark(msgspec.Struct, frozen=True):
    """By what the record of a step can be compared."""

    span_id: str
    version: int
    versions: int
    received_us: int
    size: int
    sha256: str


class TraceFacts(msgspec.Struct, frozen=True, kw_only=True):
    """Of one trace."""

    report: Report
    project: str
    version: str
    made_us: int
    trace: TraceRow
    spans: tuple[SpanRow, ...]
    root: Span | None
    verdicts: tuple[Violation, ...]
    approvals: tuple[ApprovalRequest, ...]
    records: tuple[RecordMark, ...]
