"""AuditTrail's own attributes: whoever sets one means it, so they come first."""

from __future__ import annotations

from audittrail.ingest.conversation import conversation
from audittrail.ingest.dialects.draft import Dialect, Draft
from audittrail.ingest.jsontext import structure
from audittrail.ingest.scalars import count, label, price
from audittrail.model.record import SpanRecord
from audittrail.model.span import KINDS

_NAMES = frozenset(
    "audittrail." + name
    for name in [
        "kind",
        "status",
        "session.id",
        "user.id",
        "agent.name",
        "model",
        "provider",
        "cost",
        "input",
        "output",
        "tool.name",
        "tool.call_id",
        "tool.args",
        "tool.result",
        "tokens.input",
        "tokens.output",
        "tokens.cache_read",
        "tokens.cache_write",
        "tokens.reasoning",
        "check.decision",
        "check.rules",
        "check.rule_set",
        "approval.id",
        "approval.status",
    ]
)


_TOKENS = (
    ("input_tokens", "input"),
    ("output_tokens", "output"),
    ("cache_read", "cache_read"),
    ("cache_write", "cache_write"),
    ("reasoning", "reasoning"),
)


def read(record: SpanRecord, draft: Draft) -> None:
    """Takes what is said; a kind that is none of ours says nothing."""
    get = record.attributes.get
    kind = label(get("audittrail.kind"))
    draft.kind = draft.kind or next((k for k in KINDS if k == (kind or "").lower()), None)
    status = label(get("audittrail.status"))
    draft.failed = draft.failed or status == "error"
    draft.blocked = draft.blocked or status == "blocked"
    for field, name in _TOKENS:
        if getattr(draft, field) is None:
            setattr(draft, field, count(get("audittrail.tokens." + name)))
    draft.session_id = draft.session_id or label(get("audittrail.session.id"))
    draft.end_user = draft.end_user or label(get("audittrail.user.id"))
    draft.agent = draft.agent or label(get("audittrail.agent.name"))
    draft.model = draft.model or label(get("audittrail.model"))
    draft.provider = draft.provider or label(get("audittrail.provider"))
    draft.tool_name = draft.tool_name or label(get("audittrail.tool.name"))
    draft.call_id = draft.call_id or label(get("audittrail.tool.call_id"))
    if draft.cost is None:
        draft.cost = price(get("audittrail.cost"))
    if draft.args is None:
        draft.args = structure(get("audittrail.tool.args"))
    if draft.result is None:
        draft.result = structure(get("audittrail.tool.result"))
    if draft.input is None:
        value = structure(get("audittrail.input"))
        draft.input = conversation(value) or value
    if draft.output is None:
        value = structure(get("audittrail.output"))
        draft.output = conversation(value) or value


DIALECT = Dialect("audittrail", _NAMES, (), read)
