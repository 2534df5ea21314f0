"""The tables. Times are BIGINT microseconds, ids hex text, and a project's rows lead their keys with project_id."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# SQLite counts up only in columns declared INTEGER, which there holds 64 bits as well.
Id = BigInteger().with_variant(Integer(), "sqlite")
Us = BigInteger


def picodollars(value: Decimal | None) -> int | None:
    """US dollars as whole picodollars, half to even below one."""
    return None if value is None else int(value.scaleb(12).to_integral_value())


class Dollars(TypeDecorator[Decimal]):
    """US dollars as whole picodollars, which both databases sum exactly; SQLite has no decimals.

    One token at $0.01875 per million is 18,750 of them, and 64 bits hold nine million dollars.
    """

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: Decimal | None, dialect: Any) -> int | None:
        """As `picodollars`."""
        return picodollars(value)

    def process_result_value(self, value: int | None, dialect: Any) -> Decimal | None:
        """Exact."""
        return None if value is None else Decimal(value).scaleb(-12).normalize()


projects = Table(
    "projects",
    metadata,
    Column("id", Id, primary_key=True),
    Column("name", String(80), nullable=False, unique=True),
    Column("created_us", Us, nullable=False),
)

users = Table(
    "users",
    metadata,
    Column("id", Id, primary_key=True),
    Column("email", String(254), nullable=False, unique=True),  # lower case
    Column("display_name", String(120), nullable=False),
    Column("password_hash", String(200), nullable=False),  # Argon2id, PHC string
    Column("role", String(10), nullable=False),  # admin | member
    Column("created_us", Us, nullable=False),
)

memberships = Table(
    "memberships",
    metadata,
    Column("project_id", Id, ForeignKey("projects.id", ondelete="CASCADE"), primary_key=True),
    Column("user_id", Id, ForeignKey("users.id", ondelete="CASCADE"), primary_key=True, index=True),
    Column("role", String(10), nullable=False),  # owner | reviewer | viewer
)

sessions = Table(
    "sessions",
    metadata,
    Column("token_hash", String(64), primary_key=True),  # SHA-256 of a 256-bit random token
    Column("user_id", Id, ForeignKey("users.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("project_id", Id, ForeignKey("projects.id", ondelete="SET NULL")),  # the one looked at
    Column("created_us", Us, nullable=False),
    Column("seen_us", Us, nullable=False),
)

invitations = Table(
    "invitations",
    metadata,
    Column("id", Id, primary_key=True),
    Column("token_hash", String(64), nullable=False, unique=True),
    Column("email", String(254)),
    Column("role", String(10), nullable=False),
    Column("project_id", Id, ForeignKey("projects.id", ondelete="CASCADE"), index=True),
    Column("project_role", String(10)),
    Column("created_by", Id, ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
    Column("created_us", Us, nullable=False),
    Column("expires_us", Us, nullable=False),
    Column("used_us", Us),
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", Id, primary_key=True),
    Column("project_id", Id, ForeignKey("projects.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("public", String(60), nullable=False, unique=True),  # pk-at-…
    # HMAC of the secret's first 8 random characters: finds the row without an Argon2 of every key.
    Column("lookup", String(64), nullable=False, index=True),
    Column("name", String(80), nullable=False),
    Column("secret_hash", String(200), nullable=False),  # Argon2id, PHC string
    Column("scopes", String(60), nullable=False),  # blank-separated
    Column("created_us", Us, nullable=False),
    Column("expires_us", Us),
    Column("last_used_us", Us),
    Column("revoked_us", Us),
)

traces = Table(
    "traces",
    metadata,
    Column("project_id", Id, ForeignKey("projects.id", ondelete="CASCADE"), primary_key=True),
    Column("trace_id", String(32), primary_key=True),
    Column("name", Text, nullable=False),
    Column("outcome", String(10), nullable=False),  # what the status is once settled
    Column("settles_us", Us),  # running until then; NULL: not before more arrives
    Column("started_us", Us, nullable=False),
    Column("ended_us", Us),
    Column("agent", Text),
    Column("session_id", Text),
    Column("end_user", Text),
    Column("span_count", Integer, nullable=False),
    Column("error_count", Integer, nullable=False),
    Column("llm_calls", Integer, nullable=False),
    Column("tool_calls", Integer, nullable=False),
    Column("input_tokens", BigInteger),
    Column("output_tokens", BigInteger),
    Column("cache_read_tokens", BigInteger),
    Column("cache_write_tokens", BigInteger),
    Column("reasoning_tokens", BigInteger),
    Column("cost", Dollars),
    Column("error", Text),
    Column("names", Text, nullable=False),  # lower case, for free text on names
    Column("received_us", Us, nullable=False),
    Index(None, "project_id", "started_us", "trace_id"),
    Index(None, "project_id", "session_id", "started_us"),
    Index(None, "project_id", "agent", "started_us"),
    sqlite_with_rowid=False,
)

# The greatest version of each span (model.record.rank), without its payload. Clustered by trace on SQLite: a trace of
# thousands of spans is one range read.
spans = Table(
    "spans",
    metadata,
    Column("project_id", Id, primary_key=True),
    Column("trace_id", String(32), primary_key=True),
    Column("span_id", String(16), primary_key=True),
    Column("version", Integer, nullable=False),  # which of its records this is
    Column("versions", Integer, nullable=False),  # how many records there are
    Column("parent_id", String(16)),
    Column("kind", String(10), nullable=False),
    Column("name", Text, nullable=False),
    Column("status", String(10), nullable=False),
    Column("started_us", Us, nullable=False),
    Column("ended_us", Us),
    Column("agent", Text),
    Column("session_id", Text),
    Column("end_user", Text),
    Column("model", Text),
    Column("provider", Text),
    Column("tool", Text),
    Column("input_tokens", BigInteger),
    Column("output_tokens", BigInteger),
    Column("cache_read_tokens", BigInteger),
    Column("cache_write_tokens", BigInteger),
    Column("reasoning_tokens", BigInteger),
    Column("cost", Dollars),
    Column("error", Text),
    Column("cost_basis", Text),  # how the cost is known: model.span.Cost as JSON
    sqlite_with_rowid=False,
)

# Every version of every span as exact bytes, only ever added to. Pages are made from these; the ledger will cover them.
records = Table(
    "records",
    metadata,
    Column("project_id", Id, primary_key=True),
    Column("trace_id", String(32), primary_key=True),
    Column("span_id", String(16), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("received_us", Us, nullable=False),
    Column("salt", LargeBinary, nullable=False),  # 32 random bytes, erased with the record
    Column("record", LargeBinary, nullable=False),
)

refusals = Table(
    "refusals",
    metadata,
    Column("project_id", Id, primary_key=True),
    Column("hour_us", Us, primary_key=True),
    Column("signal", String(10), primary_key=True),
    Column("reason", String(200), primary_key=True),
    Column("spans", BigInteger, nullable=False),
    Column("requests", BigInteger, nullable=False),
    Column("last_us", Us, nullable=False),
)
