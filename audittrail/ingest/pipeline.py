"""From what was received to what is stored. Pure: the same bytes always give the same rows and records."""

from __future__ import annotations

from collections.abc import Iterable

from audittrail.ingest.normalise import normalise
from audittrail.model.batch import Prepared
from audittrail.model.record import SpanRecord, decode, encode
from audittrail.model.span import Span
from audittrail.model.summary import SpanRow


def prepare(records: Iterable[SpanRecord]) -> tuple[Prepared, ...]:
    """Each record understood, and encoded as it will be kept.

    The stages to come have their places here: redaction changes the record before anyone reads it, and judging follows
    `normalise`. Nothing after this sees what was received, only what is kept.
    """
    return tuple(Prepared(SpanRow.of(normalise(record)), encode(record)) for record in records)


def read(record: bytes) -> Span:
    """A stored record as AuditTrail understands it today."""
    return normalise(decode(record))
