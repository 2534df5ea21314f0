"""What rules found, what people decided and what they did, as tables: one row each, all of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from audittrail.model import human
from audittrail.model.activity import Activity
from audittrail.model.activity_words import sentence, untold
from audittrail.model.approval import ApprovalRequest
from audittrail.model.violation import Violation
from audittrail.report.document import Column, Table
from audittrail.report.measured import second

MESSAGE = 1_000  # characters of a text in a cell
EVIDENCE = 8  # spans named in a cell
_STATUS = {"pending": "waiting", "approved": "approved, not used yet", "used": "approved and used"}


def text(value: str | None, limit: int = MESSAGE) -> str:
    """As one line of bounded length."""
    return human.line(value or "", limit)


def verdict_table(caption: str, found: Sequence[Violation], empty: str) -> Table:
    """With their evidence and what people made of them."""
    columns = (
        Column("Found (UTC)", 1.2),
        Column("Rule", 2),
        Column("What it found", 3),
        Column("Evidence: trace, steps", 2.2, mono=True),
        Column("Standing", 1.8),
    )
    return Table(caption, columns, tuple(_verdict(one) for one in found), empty)


def _verdict(one: Violation) -> tuple[str, ...]:
    rule = f"{text(one.title, 160) or one.rule_id} ({one.rule_id}, version {one.version[:12]}, {one.severity}"
    rule += f"{', observes' if one.mode == 'observe' else ''})"
    if one.controls:
        rule += " " + ", ".join(text(name, 60) for name in one.controls)
    said = text(one.message)
    if one.agent:
        said += f" Agent: {text(one.agent, 120)}"
    spans = list(dict.fromkeys((*((one.span_id,) if one.span_id else ()), *one.evidence)))
    evidence = " ".join((one.trace_id, *spans[:EVIDENCE]))
    if len(spans) > EVIDENCE:
        evidence += f" and {len(spans) - EVIDENCE:,} more"
    return second(one.found_us), rule, said.strip(), evidence, standing(one)


def standing(one: Violation) -> str:
    """`resolved by ann@example.org, 2026-11-02 10:00:00: looked into`."""
    said: str = one.status
    if one.changed_by:
        said += f" by {text(one.changed_by, 120)}"
    if one.changed_us is not None:
        said += f", {second(one.changed_us)}"
    return f"{said}: {text(one.note)}" if one.note else said


def approval_table(found: Sequence[ApprovalRequest]) -> Table:
    """Who decided, when and why."""
    columns = (
        Column("Asked (UTC)", 1.2),
        Column("Action", 2.4),
        Column("Asked because", 2.2),
        Column("Decision", 2.6),
        Column("Request, trace", 2, mono=True),
    )
    empty = "No action waited for a person."
    return Table("Approvals, newest first", columns, tuple(_approval(one) for one in found), empty)


def _approval(one: ApprovalRequest) -> tuple[str, ...]:
    action = f"{one.kind} {text(one.name, 160)} {text(_json(one.args), 400)}"
    by = [f"agent {text(one.agent, 120)}" if one.agent else "", f"key {one.requested_by}"]
    because = "; ".join(text(v.message or v.title, 300) for v in one.reasons) or "no reason was kept"
    return (
        second(one.requested_us),
        f"{action} ({', '.join(filter(None, by))})",
        because,
        decision(one),
        f"{one.id} {one.trace_id}",
    )


def decision(one: ApprovalRequest) -> str:
    """In words."""
    if one.unanswered:
        return f"nobody answered in time; {'denied' if one.on_timeout == 'deny' else 'allowed'}, as the rule says"
    said = _STATUS.get(one.status, one.status)
    if one.status == "expired":
        said = "approved, not used in time"
    if one.decided_by:
        said += f", by {text(one.decided_by, 120)}"
    if one.decided_us is not None:
        said += f", {second(one.decided_us)}"
    return f"{said}: {text(one.reason)}" if one.reason else said


def activity_table(caption: str, found: Sequence[Activity], empty: str) -> Table:
    """Who did what, when: in the words of Settings → Activity, and with what they leave out."""
    columns = (
        Column("When (UTC)", 1.2),
        Column("Who", 1.6),
        Column("Did", 2.4),
        Column("To", 1.6, mono=True),
        Column("More", 2),
    )
    return Table(caption, columns, tuple(_activity(one) for one in found), empty)


def _activity(one: Activity) -> tuple[str, ...]:
    done = "".join(piece.text for piece in sentence(one))
    more = _detail(untold(one))
    return second(one.at_us), text(one.actor, 200), text(done), text(one.subject, 200), text(more, 400)


def _detail(detail: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}: {_said(value)}" for name, value in detail.items() if value not in (None, [], {}))


def _said(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return " ".join(value)
    # Such as the versions of all rules, by rule: a cell is no place for them, and the activity log has them.
    return human.plural(len(value), "entry", "entries") if isinstance(value, (list, dict)) else _json(value)


def _json(value: Any) -> str:
    return "" if value is None else msgspec.json.encode(value).decode()
