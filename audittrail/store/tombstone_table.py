"""The tables of what was erased, and of how far erasing has come."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, String, Table, Text

from audittrail.store.columns import Id, Us, metadata

# Traces that are gone. One that a person deleted stays here, so that a late span does not bring it back; one that only
# grew old is here until the last of its spans is gone.
tombstones = Table(
    "tombstones",
    metadata,
    Column("project_id", Id, primary_key=True),
    Column("trace_id", String(32), primary_key=True),
    Column("reason", String(10), nullable=False),  # deleted | expired
    Column("pending", Boolean, nullable=False),  # spans of it are still to be erased
    Column("deleted_us", Us, nullable=False),
    Column("deleted_by", Text, nullable=False),
    Column("spans", BigInteger, nullable=False),
    Column("bytes", BigInteger, nullable=False),
    Index(None, "pending", "project_id", "trace_id"),
)

erasure_progress = Table(
    "erasure_progress",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),  # 1
    Column("erased", BigInteger, nullable=False),  # transactions that erased something
    Column("wiped", BigInteger, nullable=False),  # of these, how many left nothing in the search index and the file
    Column("trusted_us", Us, nullable=False),  # the time that retention went by: model/retention.py
)
