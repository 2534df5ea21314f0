"""Spans on their way from a request to the store."""

from __future__ import annotations

import msgspec

from audittrail.model.summary import SpanRow
from audittrail.model.verdict import Verdict


class Prepared(msgspec.Struct, frozen=True, gc=False):
    """One version of a span, ready to be stored: its row, the exact bytes that are the record, what the rules say."""

    row: SpanRow
    record: bytes
    verdicts: tuple[Verdict, ...] = ()  # empty while the span is running: it is judged when it has ended
    action: str = ""  # the hash of what was done, where a rule asks that somebody had approved it


class Batch(msgspec.Struct, frozen=True, gc=False):
    """What one request brings to one project."""

    project_id: int
    spans: tuple[Prepared, ...]

    @property
    def size(self) -> int:
        """Bytes of its records."""
        return sum(len(s.record) for s in self.spans)


class Refusal(msgspec.Struct, frozen=True, gc=False):
    """A span that was not stored. The reason is one of our own sentences, counted and shown: never trace content."""

    reason: str
    where: str = ""  # resourceSpans[0].scopeSpans[0].spans[3], or the span's id
