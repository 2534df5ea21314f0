"""A copy of a database table by table, within one snapshot of a server that many may write to."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

from asyncpg import PostgresError  # type: ignore[import-untyped]
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from audittrail.model import backup
from audittrail.model.backup import Table
from audittrail.model.errors import Unavailable
from audittrail.store.packing import PackedFile, read_packed

VERSIONS = "alembic_version"  # said in the manifest, and made by the migrations
SYNC_BYTES = 4 << 20
_TABLES = """
    SELECT c.oid, c.relname, pg_table_size(c.oid),
        array(SELECT a.attname FROM pg_attribute a
            WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '' ORDER BY a.attnum),
        array(SELECT f.confrelid FROM pg_constraint f WHERE f.conrelid = c.oid AND f.contype = 'f')
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind = 'r' AND n.nspname = current_schema() ORDER BY c.relname
"""
_SEQUENCES = "SELECT sequencename FROM pg_sequences WHERE schemaname = current_schema() ORDER BY sequencename"


@contextmanager
def _told(what: str) -> Iterator[None]:
    try:
        yield
    except PostgresError as error:
        # Its message may quote a row.
        raise Unavailable(f"{what}: the database says {type(error).__name__} ({error.sqlstate}).") from None


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _in_order(found: Sequence[Any]) -> list[Any]:
    """Tables so that each comes after those that it refers to."""
    left, ordered = list(found), []
    done: set[int] = set()
    while left:
        ready = [row for row in left if set(row[4]) - {row[0]} <= done] or left  # a ring is left to its constraints
        done |= {row[0] for row in ready}
        ordered += ready
        left = [row for row in left if row[0] not in done]
    return ordered


async def tables_of(conn: AsyncConnection) -> list[Any]:
    """(oid, name, bytes, columns, oids referred to), those referred to first."""
    return _in_order((await conn.execute(text(_TABLES))).all())


async def schema_of(conn: AsyncConnection) -> str | None:
    """None where there is none. Also takes the snapshot."""
    if await conn.scalar(text("SELECT to_regclass('alembic_version')")) is None:
        return None
    return cast("str | None", await conn.scalar(text("SELECT version_num FROM alembic_version")))


async def _driver(conn: AsyncConnection) -> Any:
    return (await conn.get_raw_connection()).driver_connection


async def write_tables(conn: AsyncConnection, folder: Path) -> tuple[tuple[Table, ...], int]:
    """A packed file for each table, in the driver's own binary form, as it comes: memory stays as it is.

    Also how many bytes they are unpacked.
    """
    driver = await _driver(conn)
    found, raw = [], 0
    for _, name, _, columns, _ in await tables_of(conn):
        if name == VERSIONS:
            continue
        path = f"tables/{name}.copy.zst"
        packed = PackedFile(folder / path)
        synced = 0

        async def take(data: bytes, packed: PackedFile = packed) -> None:
            nonlocal synced
            packed.write(data)
            if packed.raw - synced >= SYNC_BYTES:
                synced = packed.raw
                packed.sync()

        try:
            with _told(f"The table {name} could not be copied"):
                said = await driver.copy_from_table(name, output=take, columns=list(columns), format="binary")
            packed.close()
        finally:
            packed.drop()
        raw += packed.raw
        found.append(Table(name, int(said.rsplit(" ", 1)[1]), tuple(columns), path))
    return tuple(found), raw


async def sequences_of(conn: AsyncConnection) -> tuple[backup.Sequence, ...]:
    """Where the counters stand: they are not part of any snapshot, and at least where it has them."""
    found = []
    for name in (await conn.scalars(text(_SEQUENCES))).all():
        last, called = (await conn.execute(text(f"SELECT last_value, is_called FROM {_quoted(name)}"))).one()  # noqa: S608
        found.append(backup.Sequence(name, last, called))
    return tuple(found)


async def read_tables(
    conn: AsyncConnection, folder: Path, tables: Sequence[Table], sequences: Sequence[backup.Sequence]
) -> dict[str, int]:
    """Fills the tables that the migrations have made; rows by table. What migrations put in gives way."""
    driver = await _driver(conn)
    there = {row[1] for row in await tables_of(conn)} - {VERSIONS}
    if there:
        await conn.execute(text(f"TRUNCATE {', '.join(_quoted(name) for name in sorted(there))}"))
    rows = {}
    for table in tables:

        async def give(path: Path = folder / table.path) -> AsyncIterator[bytes]:
            for piece in read_packed(path):
                yield piece

        with _told(f"The table {table.name} could not be restored"):
            said = await driver.copy_to_table(table.name, source=give(), columns=list(table.columns), format="binary")
        rows[table.name] = int(said.rsplit(" ", 1)[1])
    for one in sequences:
        await conn.execute(
            text("SELECT setval(CAST(:name AS regclass), :last, :called)"),
            {"name": _quoted(one.name), "last": one.last, "called": one.called},
        )
    return rows
