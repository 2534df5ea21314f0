"""The table of what runs and calls add up to: model/usage.py."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, String, Table, Text

from audittrail.store.columns import Dollars, Id, Us, metadata

usage = Table(
    "usage",
    metadata,
    Column("project_id", Id, primary_key=True),
    Column("whose", String(10), primary_key=True),  # all | agent | model | tool
    Column("size_us", Us, primary_key=True),
    Column("from_us", Us, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("count", BigInteger, nullable=False),
    Column("errors", BigInteger, nullable=False),
    Column("timed", BigInteger, nullable=False),
    Column("duration_us", Us, nullable=False),
    Column("metered", BigInteger, nullable=False),
    Column("input_tokens", BigInteger, nullable=False),
    Column("output_tokens", BigInteger, nullable=False),
    Column("priced", BigInteger, nullable=False),
    Column("unpriced", BigInteger, nullable=False),
    Column("cost", Dollars, nullable=False),
    Column("bins", Text, nullable=False),  # durations by bin, as JSON
    sqlite_with_rowid=False,
)
