"""Search over what spans say

Revision ID: 0004
Revises: 0003
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "search_traces",
        sa.Column("no", ID, autoincrement=False, nullable=False),
        sa.Column("project_id", ID, nullable=False),
        sa.Column("trace_id", sa.String(length=32), nullable=False),
        sa.Column("received_us", sa.BigInteger(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("no", name=op.f("pk_search_traces")),
        sa.UniqueConstraint("project_id", "trace_id", name=op.f("uq_search_traces_project_id_trace_id")),
    )
    op.create_table(
        "search_spans",
        sa.Column("no", ID, nullable=False),
        sa.Column("span_id", sa.String(length=16), nullable=False),
        sa.Column("at", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("mark", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("no", "span_id", name=op.f("pk_search_spans")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "search_progress",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("received_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_search_progress")),
    )
    op.create_index(
        op.f("ix_traces_received_us"),
        "traces",
        ["received_us"],
        postgresql_using="brin",
        postgresql_with={"pages_per_range": 32, "autosummarize": True},
    )
    if op.get_bind().dialect.name == "sqlite":
        # Without content: the words alone take 0.9 KB a span, with their text it would be three times that. `ascii`
        # because model.words has cut, folded and freed them of accents already. Merging is left to the indexing task:
        # what FTS5 does by itself made one transaction in a hundred wait 56 ms (measured 2026-11-24).
        op.execute("CREATE VIRTUAL TABLE search_text USING fts5(words, content='', columnsize=0, tokenize='ascii')")
        op.execute("INSERT INTO search_text(search_text, rank) VALUES('automerge', 0)")
        op.execute("INSERT INTO search_text(search_text, rank) VALUES('crisismerge', 1000)")
    else:
        op.create_table(
            "search_text",
            sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
            sa.Column("words", sa.Text(), nullable=False),
            sa.PrimaryKeyConstraint("id", name=op.f("pk_search_text")),
        )
        # A column of tsvector would take twice the disk that its index and the words together take.
        op.execute(
            "CREATE INDEX ix_search_text_words ON search_text "
            "USING gin (array_to_tsvector(string_to_array(words, ' ')))"
        )
