"""The table of reports."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, String, Table, Text

from audittrail.store.columns import Id, Us, metadata

# Reports asked for and made. Their files lie in the data folder, named by `id`. Leases as in ablation_table.
reports = Table(
    "reports",
    metadata,
    Column("project_id", Id, primary_key=True),
    Column("id", String(40), primary_key=True),
    Column("kind", String(10), nullable=False),  # trace | period | audit
    Column("title", Text, nullable=False),
    Column("trace_id", String(32), nullable=False),  # "": it is about a range
    Column("from_us", Us, nullable=False),
    Column("to_us", Us, nullable=False),
    Column("status", String(10), nullable=False),  # queued | running | done | failed | hidden
    Column("done", BigInteger, nullable=False),
    Column("total", BigInteger, nullable=False),
    Column("pages", Integer, nullable=False),
    Column("size", BigInteger, nullable=False),  # of the PDF, in bytes
    Column("sha256", String(64), nullable=False),  # of the PDF
    Column("error", Text, nullable=False),
    Column("requested_us", Us, nullable=False),
    Column("requested_by", Text, nullable=False),
    Column("started_us", Us),
    Column("finished_us", Us),
    Column("lease_us", Us, nullable=False),
    Index(None, "project_id", "requested_us", "id"),
    Index(None, "status", "lease_us"),
)
