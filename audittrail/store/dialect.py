"""What differs between SQLite and PostgreSQL. No other module names either."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from sqlalchemy import Table, event, text
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from audittrail.model.errors import ConfigurationError

_DURABLE = (
    ("journal_mode", "WAL"),  # readers never wait for the writer
    # FULL, not NORMAL: in WAL mode NORMAL may lose the last commits when the power fails, and we have said "stored" for
    # them. Commits are grouped, so fsync runs once per group.
    ("synchronous", "FULL"),
    ("foreign_keys", "ON"),
    ("busy_timeout", "10000"),  # the command line may write beside the server
    ("temp_store", "MEMORY"),
    ("cache_size", "-65536"),  # 64 MiB
    ("journal_size_limit", "67108864"),
)
_READ_ONLY = (("query_only", "ON"), ("busy_timeout", "10000"), ("temp_store", "MEMORY"), ("cache_size", "-16384"))


def parse_url(url: str) -> URL:
    """A database address that we support. Raises ConfigurationError with what to write instead."""
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise ConfigurationError(
            "DATABASE_URL is not an address. Use sqlite+aiosqlite:///data/audittrail.db or "
            "postgresql+asyncpg://user:password@host:5432/audittrail."
        ) from None
    if parsed.drivername not in ("sqlite+aiosqlite", "postgresql+asyncpg"):
        raise ConfigurationError(
            f"DATABASE_URL starts with {parsed.drivername}://, which is not supported. Use sqlite+aiosqlite:// or "
            "postgresql+asyncpg://."
        )
    if parsed.drivername == "sqlite+aiosqlite" and parsed.database in (None, "", ":memory:"):
        raise ConfigurationError("DATABASE_URL names no file, and a record kept in memory is no record.")
    return parsed


def is_sqlite(url: URL) -> bool:
    """Whether the address is a SQLite file."""
    return url.drivername.startswith("sqlite")


def file_of(url: URL) -> Path | None:
    """The database file, where there is one."""
    return Path(url.database) if is_sqlite(url) and url.database else None


def create_engines(url: URL, readers: int) -> tuple[AsyncEngine, AsyncEngine]:
    """The engine that writes and the one that only reads. On PostgreSQL they are one."""
    if not is_sqlite(url):
        engine = create_async_engine(url, pool_size=readers, max_overflow=4, pool_pre_ping=True, pool_recycle=1800)
        return engine, engine
    write = create_async_engine(url, pool_size=1, max_overflow=0, pool_timeout=60)
    read = create_async_engine(url, pool_size=readers, max_overflow=0, pool_timeout=10)
    for engine, pragmas in ((write, _DURABLE), (read, _READ_ONLY)):

        def connect(dbapi: Any, _record: Any, pragmas: Any = pragmas) -> None:
            dbapi.isolation_level = None  # we say BEGIN ourselves: the driver's implicit one is DEFERRED
            cursor = dbapi.cursor()
            for name, value in pragmas:
                cursor.execute(f"PRAGMA {name}={value}")
            cursor.close()

        event.listen(engine.sync_engine, "connect", connect)
    # IMMEDIATE takes the write lock at once; a DEFERRED transaction that reads first can fail with SQLITE_BUSY when it
    # comes to write, however long the timeout.
    event.listen(write.sync_engine, "begin", lambda conn: conn.exec_driver_sql("BEGIN IMMEDIATE"))
    event.listen(read.sync_engine, "begin", lambda conn: conn.exec_driver_sql("BEGIN"))
    return write, read


def insert(conn: AsyncConnection, table: Table) -> Any:
    """An INSERT that knows `on_conflict_do_update` and `on_conflict_do_nothing` in this connection's dialect."""
    return (sqlite_insert if conn.dialect.name == "sqlite" else postgresql_insert)(table)


# Advisory locks of PostgreSQL are numbers: these are ours.
_MIGRATION_LOCK = 0x41554449_54


async def lock_migrations(conn: AsyncConnection) -> None:
    """Held until the transaction ends, so that replicas starting together migrate one after the other."""
    if conn.dialect.name == "postgresql":
        await conn.execute(text("SELECT pg_advisory_xact_lock(:n)"), {"n": _MIGRATION_LOCK})


async def lock_traces(conn: AsyncConnection, keys: Iterable[tuple[int, str]]) -> None:
    """Makes this transaction the only one that changes these traces; in sorted order, so that two never deadlock.

    On SQLite a write transaction is alone already.
    """
    if conn.dialect.name == "postgresql":
        # A trace id is random: its low 63 bits are as good a lock number as a hash of it.
        numbers = sorted({int(trace_id[16:], 16) >> 1 for _, trace_id in keys})
        await conn.execute(
            text("SELECT pg_advisory_xact_lock(n) FROM unnest(CAST(:numbers AS bigint[])) AS n"), {"numbers": numbers}
        )


def describe(conn: AsyncConnection) -> str:
    """sqlite or postgresql."""
    return conn.dialect.name
