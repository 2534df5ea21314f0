"""What differs between SQLite and PostgreSQL. No other module names either."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Table,
    Text,
    cast,
    column,
    desc,
    event,
    func,
    literal,
    literal_column,
    select,
    table,
    text,
)
from sqlalchemy.dialects.postgresql import TSQUERY, TSVECTOR
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from audittrail.model.errors import ConfigurationError

_DURABLE = (
    # Said first: it holds for a file that is still empty, and for an older one only after a VACUUM. Without it what
    # retention frees is used again, and never given back to the file system.
    ("auto_vacuum", "INCREMENTAL"),
    # What is deleted is overwritten with zeros. SQLite leaves it standing in the file otherwise, for whoever copies it.
    ("secure_delete", "ON"),
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
    # The connection used last comes first: its pages are in its cache, and those never needed at once take no memory.
    read = create_async_engine(url, pool_size=readers, max_overflow=0, pool_timeout=10, pool_use_lifo=True)
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


def create_single(url: URL) -> AsyncEngine:
    """An engine that keeps no connection: for one that lives long and shall not be missing in the pool."""
    return create_async_engine(url, poolclass=NullPool)


async def notify(conn: AsyncConnection, channel: str, payloads: Sequence[str]) -> None:
    """Tells these to every process that listens, when the transaction is committed. On SQLite there is but one."""
    if conn.dialect.name == "postgresql":
        for payload in payloads:
            await conn.execute(text("SELECT pg_notify(:channel, :payload)"), {"channel": channel, "payload": payload})


def insert(conn: AsyncConnection, table: Table) -> Any:
    """An INSERT that knows `on_conflict_do_update` and `on_conflict_do_nothing` in this connection's dialect."""
    return (sqlite_insert if conn.dialect.name == "sqlite" else postgresql_insert)(table)


async def lock_numbers(conn: AsyncConnection, numbers: Iterable[int]) -> None:
    """Holds the locks of these 63-bit numbers until the transaction ends; in sorted order, so that two never deadlock.

    On SQLite a write transaction is alone already.
    """
    if conn.dialect.name == "postgresql":
        await conn.execute(
            text("SELECT pg_advisory_xact_lock(n) FROM unnest(CAST(:numbers AS bigint[])) AS n"),
            {"numbers": sorted(numbers)},
        )


async def try_lock(conn: AsyncConnection, number: int, *, until_closed: bool = False) -> bool:
    """As `lock_numbers`, but does not wait, and `until_closed` holds it until the connection is. False: another one
    has it."""
    if conn.dialect.name == "sqlite":
        return True
    lock = "pg_try_advisory_lock" if until_closed else "pg_try_advisory_xact_lock"
    return bool(await conn.scalar(text(f"SELECT {lock}(:n)"), {"n": number}))


async def remove_words(conn: AsyncConnection, old: Sequence[tuple[int, str]]) -> None:
    """Documents of these numbers, put in with these words, are found no more. What is left of them in the index of
    SQLite goes with `begin_wiping`."""
    if conn.dialect.name == "sqlite":
        await put_words(conn, [], old)
    else:
        await conn.execute(text("DELETE FROM search_text WHERE id = ANY(:ids)"), {"ids": [number for number, _ in old]})


async def begin_wiping(conn: AsyncConnection) -> None:
    """Makes all parts of the word index one, by and by: `merge_words` until nothing is left to do.

    FTS5 takes a document out by noting that it is gone; its words stand in the file until the part of the index that
    has them and the part that has the note are written as one.
    """
    if conn.dialect.name == "sqlite":
        await conn.exec_driver_sql("INSERT INTO search_text(search_text, rank) VALUES('merge', -1)")


def is_file(conn: AsyncConnection) -> bool:
    """Whether the database is one file, which is ours alone to look after."""
    return conn.dialect.name == "sqlite"


async def put_words(conn: AsyncConnection, new: Sequence[tuple[int, str]], old: Sequence[tuple[int, str]]) -> None:
    """Makes documents of these numbers found by their words; `old`: those of them that were found by others before."""
    if conn.dialect.name == "sqlite":
        if old:
            out = "INSERT INTO search_text(search_text, rowid, words) VALUES('delete', ?, ?)"
            await conn.exec_driver_sql(out, list(old))
        if new:
            await conn.exec_driver_sql("INSERT INTO search_text(rowid, words) VALUES(?, ?)", list(new))
    elif new:
        put = "INSERT INTO search_text(id, words) VALUES($1, $2) ON CONFLICT (id) DO UPDATE SET words = excluded.words"
        await conn.exec_driver_sql(put, list(new))


async def merge_words(conn: AsyncConnection, pages: int) -> bool:
    """Tidies about so many pages of the word index; whether there is more to tidy. PostgreSQL does so by itself."""
    if conn.dialect.name != "sqlite":
        return False
    changes = text("SELECT total_changes()")
    before = await conn.scalar(changes)
    await conn.exec_driver_sql("INSERT INTO search_text(search_text, rank) VALUES('merge', ?)", (pages,))
    return bool((await conn.scalar(changes) or 0) - (before or 0) > 1)  # as SQLite's documentation of FTS5 has it


async def touch(conn: AsyncConnection) -> None:
    """Changes nothing that is read, and yet its commit is written to the disk."""
    sqlite = "PRAGMA user_version = 0"  # ours are Alembic's
    await conn.exec_driver_sql(sqlite if conn.dialect.name == "sqlite" else "SELECT pg_current_xact_id()")


async def clear_words(conn: AsyncConnection) -> None:
    """Forgets all documents."""
    sqlite = "INSERT INTO search_text(search_text) VALUES('delete-all')"
    await conn.exec_driver_sql(sqlite if conn.dialect.name == "sqlite" else "TRUNCATE search_text")


async def prefer_word_index(conn: AsyncConnection) -> None:
    """Until the transaction ends. PostgreSQL takes reading every document for cheap, since it does not count unpacking
    them: a word of most documents then takes seconds instead of milliseconds."""
    if conn.dialect.name == "postgresql":
        await conn.execute(text("SET LOCAL enable_seqscan = off"))


def needs_old_words(conn: AsyncConnection) -> bool:
    """Whether a document can only be taken out with the words it was put in with."""
    return conn.dialect.name == "sqlite"


def matching(conn: AsyncConnection, words: Sequence[str], *, prefix: bool, most: int, most_read: int) -> Any:
    """Numbers of the newest documents, at most so many, that hold these words in a row, the last of them begun where
    `prefix`. Words are letters and digits only, so nothing typed is ever syntax.

    PostgreSQL's index knows no places: documents with all words of a phrase have to be read, the newest `most_read`.
    """
    document = table("search_text", column("words", Text))
    if conn.dialect.name == "sqlite":
        phrase = f'"{" ".join(words)}"' + (" *" if prefix else "")
        found = select(literal_column("rowid", BigInteger).label("id")).select_from(document)
        return found.where(literal_column("search_text", Text).op("MATCH")(phrase)).order_by(desc("id")).limit(most)
    every = " & ".join(f"'{word}'" for word in words) + (":*" if prefix else "")
    lexemes = literal_column("array_to_tsvector(string_to_array(words, ' '))", TSVECTOR)
    held = lexemes.op("@@")(cast(literal(every, Text), TSQUERY))
    # Apart, since by itself PostgreSQL would walk the primary key backward for the newest, and read every document.
    number = column("id", BigInteger)
    apart = select(number).select_from(document).where(held).cte().prefix_with("MATERIALIZED")
    newest = select(apart.c.id).order_by(apart.c.id.desc()).limit(most if len(words) == 1 else most_read)
    if len(words) == 1:
        return newest
    some = newest.subquery()
    # By number one after the other: a join would read every document there is.
    padded = literal_column("' ' || words || ' '", Text)
    read = select(padded).select_from(document).where(number == some.c.id).correlate(some).scalar_subquery()
    return select(some.c.id).where(func.strpos(read, f" {' '.join(words)}" + ("" if prefix else " ")) > 0)


def contains(conn: AsyncConnection, whole: ColumnElement[str], part: str) -> ColumnElement[bool]:
    """Whether the text holds this part, letter by letter: LIKE takes 3 microseconds for a trace's names, this 1."""
    return (func.instr if conn.dialect.name == "sqlite" else func.strpos)(whole, part) > 0
