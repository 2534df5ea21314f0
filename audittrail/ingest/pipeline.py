"""From what was received to what is stored. Pure: the same bytes always give the same rows and records."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
from msgspec.structs import replace

from audittrail.ingest.normalise import normalise
from audittrail.ingest.pricing import price
from audittrail.model.batch import Prepared
from audittrail.model.record import SpanRecord, decode, encode
from audittrail.model.span import Cost, Span
from audittrail.model.summary import SpanRow


def prepare(records: Iterable[SpanRecord]) -> tuple[Prepared, ...]:
    """Each record understood, and encoded as it will be kept.

    The stages to come have their places here: redaction changes the record before anyone reads it, and judging follows
    `normalise`. Nothing after this sees what was received, only what is kept.
    """
    return tuple(Prepared(SpanRow.of(_priced(normalise(record))), encode(record)) for record in records)


def _priced(span: Span) -> Span:
    cost = price(span)
    return replace(span, cost=cost.amount, cost_basis=cost) if cost else span


def read(record: bytes, cost_basis: str | None) -> Span:
    """A stored record as AuditTrail understands it today. Its cost is what it was when it was stored."""
    span = normalise(decode(record))
    cost = _decode_cost(cost_basis) if cost_basis else None
    return replace(span, cost=cost.amount if cost else None, cost_basis=cost)


_decode_cost = msgspec.json.Decoder(Cost).decode
