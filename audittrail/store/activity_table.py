"""The table of the activity log."""

from __future__ import annotations

from sqlalchemy import Column, Index, String, Table, Text

from audittrail.store.columns import Id, Us, metadata

# Only ever added to. No foreign key: what was done to a project, an account or a trace stays known when it is gone.
activity = Table(
    "activity",
    metadata,
    Column("id", String(24), primary_key=True),
    Column("project_id", Id),  # NULL: of the whole instance
    Column("at_us", Us, nullable=False),
    Column("actor", Text, nullable=False),
    Column("action", String(40), nullable=False),
    Column("subject", Text, nullable=False),
    Column("detail", Text, nullable=False),  # JSON
    Index(None, "project_id", "at_us", "id"),
    Index(None, "at_us", "id"),
)
