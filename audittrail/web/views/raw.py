"""View of a trace's stored records, one page of them."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from audittrail.model import human
from audittrail.model.filters import Cursor
from audittrail.model.summary import SpanRow

PAGE = 25
MAX_TEXT = 20_000  # characters of a record


class Raw(msgspec.Struct, frozen=True):
    """A span's record as text."""

    span: SpanRow
    text: str
    size: int
    versions: int
    cut: bool


class RawView(msgspec.Struct, frozen=True):
    """Template: pages/trace/raw.html."""

    items: tuple[Raw, ...]
    next: str  # the cursor of the page after; "" at the end

    @classmethod
    def of(cls, found: Sequence[tuple[SpanRow, bytes, int]]) -> RawView:
        """From at most PAGE + 1 rows with their records and how many versions there are of each."""
        items = tuple(
            Raw(
                row,
                human.visible(record[:MAX_TEXT].decode(errors="replace")),
                len(record),
                many,
                len(record) > MAX_TEXT,
            )
            for row, record, many in found[:PAGE]
        )
        last = found[PAGE - 1][0] if len(found) > PAGE else None
        return cls(items, str(Cursor((last.started_us, last.span_id))) if last else "")
