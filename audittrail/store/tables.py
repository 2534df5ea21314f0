"""The tables. Times are BIGINT microseconds, ids hex text, and a project's rows lead their keys with project_id."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from audittrail.store import ablation_table, activity_table, fragment_table, report_table, tombstone_table, usage_table
from audittrail.store.columns import Counts, Dollars, Id, Us, metadata

ablations, activity, fragments = ablation_table.ablations, activity_table.activity, fragment_table.fragments
reports, tombstones, usage = report_table.reports, tombstone_table.tombstones, usage_table.usage

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
    Column("pii", Counts),
    Index(None, "project_id", "started_us", "trace_id"),
    Index(None, "project_id", "session_id", "started_us"),
    Index(None, "project_id", "agent", "started_us"),
    # For what came since. BRIN, since it lets PostgreSQL update a row in place (HOT) although its time is indexed.
    Index(None, "received_us", postgresql_using="brin", postgresql_with={"pages_per_range": 32, "autosummarize": True}),
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
    Column("pii", Counts),
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

# As text, not as parameters: a planner takes a partial index only where it sees the same condition.
PENDING = text("status = 'open' AND outcome IN ('violation', 'error') AND mode = 'enforce'")
# What the rules found, and what people made of it. Passes are only counted. One row for each rule and span, or, with an
# empty span_id, for each rule and trace: `id` is a hash of the three, so that judging again meets the same row.
verdicts = Table(
    "verdicts",
    metadata,
    Column("project_id", Id, primary_key=True),
    Column("id", String(16), primary_key=True),
    Column("trace_id", String(32), nullable=False),
    Column("span_id", String(16), nullable=False),
    Column("rule_id", Text, nullable=False),
    Column("version", String(64), nullable=False),  # of the rule
    Column("title", Text, nullable=False),
    Column("severity", String(10), nullable=False),
    Column("mode", String(10), nullable=False),
    Column("effect", String(20), nullable=False),
    Column("outcome", String(10), nullable=False),  # pass: it was found once, and a late span corrected it
    Column("message", Text, nullable=False),
    Column("detail", Text, nullable=False),  # values, evidence and controls of model.verdict.Verdict, as JSON
    Column("agent", Text),
    Column("found_us", Us, nullable=False),
    Column("status", String(12), nullable=False),  # open | acknowledged | resolved
    Column("note", Text, nullable=False),
    Column("changed_us", Us),
    Column("changed_by", Text),
    Index(None, "project_id", "trace_id"),
    Index(None, "project_id", "found_us", "id"),
    Index(None, "project_id", "status", "found_us"),
    # Counted by hour or day on the overview.
    Index(None, "project_id", "outcome", "found_us"),
    # Counted on every page, among what may be a hundred thousand open warnings.
    Index("ix_verdicts_pending", "project_id", sqlite_where=PENDING, postgresql_where=PENDING),
    sqlite_with_rowid=False,
)

rule_counts = Table(
    "rule_counts",
    metadata,
    Column("project_id", Id, primary_key=True),
    Column("rule_id", Text, primary_key=True),
    Column("hour_us", Us, primary_key=True),
    Column("passed", BigInteger, nullable=False),
    Column("warned", BigInteger, nullable=False),
    Column("violated", BigInteger, nullable=False),
    Column("erred", BigInteger, nullable=False),
)

# Actions that wait, or waited, for a person.
approvals = Table(
    "approvals",
    metadata,
    Column("project_id", Id, primary_key=True),
    Column("id", String(40), primary_key=True),
    Column("action_hash", String(64), nullable=False),  # keyed: the arguments may hold what was redacted
    Column("status", String(10), nullable=False),  # pending | approved | denied | expired
    Column("kind", String(10), nullable=False),
    Column("name", Text, nullable=False),
    Column("args", Text, nullable=False),  # JSON, redacted
    Column("agent", Text),
    Column("end_user", Text),
    Column("trace_id", String(32), nullable=False),
    Column("span_id", String(16), nullable=False),  # of the decision
    Column("reasons", Text, nullable=False),  # the verdicts that asked, as JSON
    Column("pii", Counts),
    Column("requested_us", Us, nullable=False),
    Column("requested_by", String(60), nullable=False),  # pk-at-…
    Column("timeout", BigInteger, nullable=False),  # seconds: to answer, and then to use the answer
    Column("on_timeout", String(10), nullable=False),  # deny | allow
    Column("expires_us", Us, nullable=False),
    Column("decided_us", Us),
    Column("decided_by", Text),
    Column("reason", Text, nullable=False),
    Column("used_us", Us),
    Column("kept_hash", String(64), nullable=False),  # of what is kept of the action, to know it again once it was done
    Column("done_by", String(49)),  # trace/span of the step that did it
    Index(None, "project_id", "action_hash"),
    Index(None, "project_id", "kept_hash"),
    Index(None, "project_id", "trace_id"),
    Index(None, "project_id", "status", "requested_us"),
    Index(None, "status", "expires_us"),
)

# What search has of a trace, and which version of each span it found the words of. The words themselves are in the
# table search_text, which each database keeps in its own way: store/dialect.py.
search_traces = Table(
    "search_traces",
    metadata,
    Column("no", Id, primary_key=True, autoincrement=False),  # leads the numbers of its documents
    Column("project_id", Id, nullable=False),
    Column("trace_id", String(32), nullable=False),
    Column("received_us", Us, nullable=False),  # of traces, when this was last complete; 0: it never was
    Column("size", Integer, nullable=False),  # documents that were numbered
    UniqueConstraint("project_id", "trace_id"),
)

search_spans = Table(
    "search_spans",
    metadata,
    Column("no", Id, primary_key=True),
    Column("span_id", String(16), primary_key=True),
    Column("at", Integer, nullable=False),  # the document's number in the trace
    Column("version", Integer, nullable=False),
    Column("mark", BigInteger, nullable=False),  # CRC-32 of the words, to know them again when they are taken out
    sqlite_with_rowid=False,
)

search_progress = Table(
    "search_progress",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),  # 1
    Column("received_us", Us, nullable=False),  # every trace received before is complete
)
