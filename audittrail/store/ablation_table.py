"""The table of ablation runs."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, String, Table, Text

from audittrail.store.columns import Id, Us, metadata

# Questions about what caused an outcome, and their answers. A process that computes one renews its lease; one whose
# lease is over was left by a process that ended, and is taken up by the next.
ablations = Table(
    "ablations",
    metadata,
    Column("project_id", Id, primary_key=True),
    Column("id", String(40), primary_key=True),
    Column("trace_id", String(32), nullable=False),
    Column("outcome", Text, nullable=False),  # JSON
    Column("method", String(20), nullable=False),
    Column("players", String(20), nullable=False),
    Column("level", String(20), nullable=False),
    Column("seed", BigInteger, nullable=False),
    Column("status", String(10), nullable=False),  # queued | running | done | failed | cancelled
    Column("done", BigInteger, nullable=False),
    Column("total", BigInteger, nullable=False),
    Column("spans", Integer, nullable=False),
    Column("result", Text, nullable=False),  # JSON
    Column("finding", Text, nullable=False),
    Column("error", Text, nullable=False),
    Column("requested_us", Us, nullable=False),
    Column("requested_by", Text, nullable=False),
    Column("started_us", Us),
    Column("finished_us", Us),
    Column("received_us", Us, nullable=False),
    Column("lease_us", Us, nullable=False),  # until then a running one is somebody's
    Index(None, "project_id", "trace_id"),
    Index(None, "project_id", "requested_us", "id"),
    Index(None, "status", "lease_us"),
)
