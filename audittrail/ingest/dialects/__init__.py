"""The ways to write agents' spans that AuditTrail understands, and which of them a span speaks."""

from __future__ import annotations

from audittrail.ingest.dialects import (
    explicit,
    langfuse,
    langsmith,
    mlflow,
    openinference,
    openllmetry,
    otel_genai,
    pydantic_ai,
    vercel,
)
from audittrail.ingest.dialects.draft import Dialect, Draft
from audittrail.ingest.dialects.flattened import Branches, head
from audittrail.model.record import SpanRecord

# In order of precedence, which holds per field: the first that has a value says it. LangSmith and MLflow write gen_ai
# attributes as well, and say of themselves what those get wrong; OpenLLMetry and Vercel add to them.
DIALECTS: tuple[Dialect, ...] = (
    explicit.DIALECT,
    langfuse.DIALECT,
    openinference.DIALECT,
    langsmith.DIALECT,
    mlflow.DIALECT,
    otel_genai.DIALECT,
    openllmetry.DIALECT,
    vercel.DIALECT,
    pydantic_ai.DIALECT,
)

# Understood whoever writes them, so they say nothing about the dialect.
_SHARED = frozenset(
    [
        "session.id",
        "user.id",
        "enduser.id",
        "error.type",
        "exception.type",
        "exception.message",
        "exception.stacktrace",
        "server.address",
        "server.port",
        "service.name",
        "operation.name",
        "resource.name",
    ]
)
_ALL = (1 << len(DIALECTS)) - 1
# One look-up tells who understands a name: a bit for each dialect, or _KNOWN alone for a shared one.
_KNOWN = 1 << len(DIALECTS)
_BY_NAME = dict.fromkeys(_SHARED, _KNOWN)
for _i, _dialect in enumerate(DIALECTS):
    for _name in _dialect.names - _SHARED:
        _BY_NAME[_name] = _BY_NAME.get(_name, 0) | 1 << _i
_BY_PREFIX: dict[str, int] = {}
for _i, _dialect in enumerate(DIALECTS):
    for _prefix in _dialect.prefixes:
        _BY_PREFIX[_prefix] = _BY_PREFIX.get(_prefix, 0) | 1 << _i
_EVENT_PREFIXES = [(dialect.event_prefixes, 1 << i) for i, dialect in enumerate(DIALECTS) if dialect.event_prefixes]


def spoken(record: SpanRecord) -> tuple[list[Dialect], Branches, tuple[str, ...]]:
    """The dialects of a span by precedence; its attributes below each of their prefixes; the names that none knows."""
    bits = 0
    branches: Branches = {}
    unmapped: list[str] = []
    for name, value in record.attributes.items():
        known = _BY_NAME.get(name)
        if known is None:
            prefix = head(name)
            known = _BY_PREFIX.get(prefix)
            if known is None:
                unmapped.append(name)
                continue
            branches.setdefault(prefix, {})[name[len(prefix) :]] = value
        bits |= known
    for event in record.events:
        for prefixes, bit in _EVENT_PREFIXES:
            if event.name.startswith(prefixes):
                bits |= bit
    return _SPEAKERS[bits & _ALL], branches, tuple(unmapped)


_SPEAKERS = [[d for i, d in enumerate(DIALECTS) if bits >> i & 1] for bits in range(_ALL + 1)]

__all__ = ["DIALECTS", "Dialect", "Draft", "spoken"]
