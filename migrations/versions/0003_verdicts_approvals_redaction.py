"""Verdicts, approvals, and how much was redacted

Revision ID: 0003
Revises: 0002
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("spans", sa.Column("pii", sa.Text(), nullable=True))
    op.add_column("traces", sa.Column("pii", sa.Text(), nullable=True))
    op.create_table(
        "verdicts",
        sa.Column("project_id", ID, nullable=False),
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("trace_id", sa.String(length=32), nullable=False),
        sa.Column("span_id", sa.String(length=16), nullable=False),
        sa.Column("rule_id", sa.Text(), nullable=False),
        sa.Column("version", sa.String(length=64), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("severity", sa.String(length=10), nullable=False),
        sa.Column("mode", sa.String(length=10), nullable=False),
        sa.Column("effect", sa.String(length=20), nullable=False),
        sa.Column("outcome", sa.String(length=10), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("agent", sa.Text(), nullable=True),
        sa.Column("found_us", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.String(length=12), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("changed_us", sa.BigInteger(), nullable=True),
        sa.Column("changed_by", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("project_id", "id", name=op.f("pk_verdicts")),
        sqlite_with_rowid=False,
    )
    for columns in (("trace_id",), ("found_us", "id"), ("status", "found_us")):
        name = "_".join(("ix_verdicts_project_id", *columns))
        op.create_index(op.f(name), "verdicts", ["project_id", *columns])
    pending = sa.text("status = 'open' AND outcome IN ('violation', 'error') AND mode = 'enforce'")
    op.create_index("ix_verdicts_pending", "verdicts", ["project_id"], sqlite_where=pending, postgresql_where=pending)
    op.create_table(
        "rule_counts",
        sa.Column("project_id", ID, nullable=False),
        sa.Column("rule_id", sa.Text(), nullable=False),
        sa.Column("hour_us", sa.BigInteger(), nullable=False),
        sa.Column("passed", sa.BigInteger(), nullable=False),
        sa.Column("warned", sa.BigInteger(), nullable=False),
        sa.Column("violated", sa.BigInteger(), nullable=False),
        sa.Column("erred", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("project_id", "rule_id", "hour_us", name=op.f("pk_rule_counts")),
    )
    op.create_table(
        "approvals",
        sa.Column("project_id", ID, nullable=False),
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("action_hash", sa.String(length=64), nullable=False),
        sa.Column("status", sa.String(length=10), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("args", sa.Text(), nullable=False),
        sa.Column("agent", sa.Text(), nullable=True),
        sa.Column("end_user", sa.Text(), nullable=True),
        sa.Column("trace_id", sa.String(length=32), nullable=False),
        sa.Column("span_id", sa.String(length=16), nullable=False),
        sa.Column("reasons", sa.Text(), nullable=False),
        sa.Column("pii", sa.Text(), nullable=True),
        sa.Column("requested_us", sa.BigInteger(), nullable=False),
        sa.Column("requested_by", sa.String(length=60), nullable=False),
        sa.Column("timeout", sa.BigInteger(), nullable=False),
        sa.Column("on_timeout", sa.String(length=10), nullable=False),
        sa.Column("expires_us", sa.BigInteger(), nullable=False),
        sa.Column("decided_us", sa.BigInteger(), nullable=True),
        sa.Column("decided_by", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("used_us", sa.BigInteger(), nullable=True),
        sa.Column("kept_hash", sa.String(length=64), nullable=False),
        sa.Column("done_by", sa.String(length=49), nullable=True),
        sa.PrimaryKeyConstraint("project_id", "id", name=op.f("pk_approvals")),
    )
    op.create_index(op.f("ix_approvals_project_id_action_hash"), "approvals", ["project_id", "action_hash"])
    op.create_index(op.f("ix_approvals_project_id_kept_hash"), "approvals", ["project_id", "kept_hash"])
    op.create_index(
        op.f("ix_approvals_project_id_status_requested_us"), "approvals", ["project_id", "status", "requested_us"]
    )
    op.create_index(op.f("ix_approvals_status_expires_us"), "approvals", ["status", "expires_us"])
