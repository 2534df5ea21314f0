"""Spans on their way from a request to the store."""

from __future__ import annotations

from collections.abc import Container

import msgspec

from audittrail.model.summary import SpanRow
from audittrail.model.verdict import Verdict


class Prepared(msgspec.Struct, frozen=True, gc=False):
    """One version of a span, ready to be stored: its row, the exact bytes that are the record, what the rules say."""

    row: SpanRow
    record: bytes
    verdicts: tuple[Verdict, ...] = ()  # empty while the span is running: it is judged when it has ended
    action: str = ""  # the hash of what was done, where a rule asks that somebody had approved it


class Fragment(msgspec.Struct, frozen=True, gc=False):
    """What log records say of one span: a redacted record with nothing but its ids and events."""

    trace_id: str
    span_id: str
    record: bytes


class Batch(msgspec.Struct, frozen=True, gc=False):
    """What one request brings to one project: spans, or what log records say of some."""

    project_id: int
    spans: tuple[Prepared, ...]
    fragments: tuple[Fragment, ...] = ()

    @property
    def signal(self) -> str:
        """Of OpenTelemetry's, as refusals are counted by."""
        return "logs" if self.fragments else "traces"

    @property
    def size(self) -> int:
        """Bytes of its records."""
        return sum(len(s.record) for s in self.spans) + sum(len(f.record) for f in self.fragments)

    @property
    def ids(self) -> list[tuple[str, str]]:
        """(trace, span) of each, in their order."""
        return [(s.row.trace_id, s.row.span_id) for s in self.spans] + [(f.trace_id, f.span_id) for f in self.fragments]

    def without(self, trace_ids: Container[str]) -> Batch:
        """What is of other traces."""
        spans = tuple(s for s in self.spans if s.row.trace_id not in trace_ids)
        return Batch(self.project_id, spans, tuple(f for f in self.fragments if f.trace_id not in trace_ids))

    def halves(self) -> tuple[Batch, Batch]:
        """Two batches of as many each, or one more."""
        at, of = (len(self.spans) + 1) // 2, (len(self.fragments) + 1) // 2
        first = Batch(self.project_id, self.spans[:at], self.fragments[:of])
        return first, Batch(self.project_id, self.spans[at:], self.fragments[of:])


class Refusal(msgspec.Struct, frozen=True, gc=False):
    """A span that was not stored. The reason is one of our own sentences, counted and shown: never trace content."""

    reason: str
    where: str = ""  # resourceSpans[0].scopeSpans[0].spans[3], or the span's id
