"""From what was received to what is stored. Pure: the same bytes always give the same rows and records."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
from msgspec.structs import replace

from audittrail.constitution import EMPTY, RuleSet, judge_span, kept_hash
from audittrail.ingest.normalise import normalise
from audittrail.ingest.pricing import price
from audittrail.model.batch import Prepared
from audittrail.model.record import SpanRecord, decode, encode
from audittrail.model.span import Cost, Span
from audittrail.model.summary import SpanRow
from audittrail.model.verdict import Verdict
from audittrail.privacy.redactor import Redactor


def prepare(
    records: Iterable[SpanRecord], redactor: Redactor | None = None, rules: RuleSet = EMPTY
) -> tuple[Prepared, ...]:
    """Each record redacted, understood, judged if it has ended, and encoded as it will be kept.

    Redaction comes first: nothing after it sees what was received, only what is kept.
    """
    return tuple(_prepared(_redacted(record, redactor), rules) for record in records)


def _redacted(record: SpanRecord, redactor: Redactor | None) -> SpanRecord:
    if redactor is None:
        return record
    kept, counts = redactor.redact(record)
    return replace(kept, pii=counts) if counts else kept


def _prepared(record: SpanRecord, rules: RuleSet) -> Prepared:
    span = _priced(normalise(record))
    verdicts = judge_span(span, rules) if span.ended_us is not None else ()
    return Prepared(SpanRow.of(span), encode(record), verdicts, _action(span, verdicts))


def _action(span: Span, verdicts: tuple[Verdict, ...]) -> str:
    """Of a step that needed a person, what it is known by if somebody approved it."""
    asks = any(v.outcome == "violation" and v.effect == "require_approval" for v in verdicts)
    if not asks:
        return ""
    if span.tool is not None:
        return kept_hash(span.kind, span.tool.name or "", span.tool.args)
    return kept_hash(span.kind, span.name, span.input)


def _priced(span: Span) -> Span:
    cost = price(span)
    return replace(span, cost=cost.amount, cost_basis=cost) if cost else span


def read(record: bytes, cost_basis: str | None) -> Span:
    """A stored record as AuditTrail understands it today. Its cost is what it was when it was stored."""
    span = normalise(decode(record))
    cost = _decode_cost(cost_basis) if cost_basis else None
    return replace(span, cost=cost.amount if cost else None, cost_basis=cost)


def understood(record: bytes, cost_basis: str | None) -> SpanRow:
    """A stored record's row as it would be made today. A cost that is known stays; one that was not is looked for."""
    return SpanRow.of(read(record, cost_basis) if cost_basis else _priced(normalise(decode(record))))


_decode_cost = msgspec.json.Decoder(Cost).decode
