"""What was erased

Revision ID: 0008
Revises: 0007
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "tombstones",
        sa.Column("project_id", ID, nullable=False),
        sa.Column("trace_id", sa.String(length=32), nullable=False),
        sa.Column("reason", sa.String(length=10), nullable=False),
        sa.Column("pending", sa.Boolean(), nullable=False),
        sa.Column("deleted_us", sa.BigInteger(), nullable=False),
        sa.Column("deleted_by", sa.Text(), nullable=False),
        sa.Column("spans", sa.BigInteger(), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("project_id", "trace_id", name=op.f("pk_tombstones")),
    )
    op.create_index(
        op.f("ix_tombstones_pending_project_id_trace_id"), "tombstones", ["pending", "project_id", "trace_id"]
    )
    op.create_table(
        "erasure_progress",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("erased", sa.BigInteger(), nullable=False),
        sa.Column("wiped", sa.BigInteger(), nullable=False),
        sa.Column("trusted_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_erasure_progress")),
    )
    op.create_index(op.f("ix_approvals_project_id_trace_id"), "approvals", ["project_id", "trace_id"])
