"""The table of what log records say of spans."""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, LargeBinary, String, Table

from audittrail.store.columns import Id, Us, metadata

# Kept for a day after they came: until their span is there, and for each version of it that comes after.
fragments = Table(
    "fragments",
    metadata,
    Column("project_id", Id, primary_key=True),
    Column("trace_id", String(32), primary_key=True),
    Column("span_id", String(16), primary_key=True),
    Column("digest", String(32), primary_key=True),  # of the record: the same from a retry is the same
    Column("received_us", Us, nullable=False, index=True),
    Column("waiting", Integer, nullable=False),  # how often it or its span came since it was last looked at
    Column("record", LargeBinary, nullable=False),  # packed: a SpanRecord with nothing but ids, events and pii
    Index(None, "waiting"),
)
