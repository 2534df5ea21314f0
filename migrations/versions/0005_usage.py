"""What runs and calls add up to

Revision ID: 0005
Revises: 0004
"""

from itertools import groupby

import msgspec
import sqlalchemy as sa
from alembic import op

from audittrail.model.summary import SpanRow, summarise
from audittrail.model.usage import Shift, Sums, part_of
from audittrail.store.columns import Counts, Dollars, picodollars

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
# Of spans as they were at this revision, whatever columns come later.
FIELDS = ("trace_id", "span_id", "parent_id", "kind", "name", "status", "started_us", "ended_us", "agent", "session_id",
          "end_user", "model", "provider", "tool", "input_tokens", "output_tokens", "cache_read_tokens",
          "cache_write_tokens", "reasoning_tokens", "cost", "error", "cost_basis", "pii")  # fmt: skip
TYPES = {"cost": Dollars(), "pii": Counts()}
SPANS = sa.table("spans", sa.column("project_id"), *(sa.column(name, TYPES.get(name)) for name in FIELDS))
NUMBERS = ("count", "errors", "timed", "duration_us", "metered", "input_tokens", "output_tokens", "priced", "unpriced")


def upgrade() -> None:
    usage = op.create_table(
        "usage",
        sa.Column("project_id", ID, nullable=False),
        sa.Column("whose", sa.String(length=10), nullable=False),
        sa.Column("size_us", sa.BigInteger(), nullable=False),
        sa.Column("from_us", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in NUMBERS),
        sa.Column("cost", sa.BigInteger(), nullable=False),
        sa.Column("bins", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("project_id", "whose", "size_us", "from_us", "name", name=op.f("pk_usage")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_verdicts_project_id_outcome_found_us"), "verdicts", ["project_id", "outcome", "found_us"])
    _sum_up(op.get_bind(), usage)


def _sum_up(bind: sa.Connection, usage: sa.Table) -> None:
    """What was stored before there were sums: 60 microseconds a span."""
    query = sa.select(SPANS).order_by(SPANS.c.project_id, SPANS.c.trace_id)
    shifts: dict[int, Shift] = {}
    for (project_id, _), rows in groupby(bind.execute(query).yield_per(5_000), key=lambda row: row[:2]):
        found = [SpanRow(**dict(zip(FIELDS, row[1:], strict=True))) for row in rows]
        trace = summarise(found, 0).row
        shifts.setdefault(project_id, Shift()).add(trace.started_us, part_of(trace, found))
    for project_id, shift in shifts.items():
        rows = [
            {"project_id": project_id} | _values(sums) | msgspec.structs.asdict(slot) for slot, sums in shift.changed()
        ]
        for i in range(0, len(rows), 5_000):
            bind.execute(usage.insert(), rows[i : i + 5_000])


def _values(sums: Sums) -> dict[str, object]:
    values = {name: min(getattr(sums, name), 2**63 - 1) for name in NUMBERS}
    cost = min(picodollars(sums.cost) or 0, 2**63 - 1)
    return values | {"cost": cost, "bins": msgspec.json.encode(sums.bins).decode()}
