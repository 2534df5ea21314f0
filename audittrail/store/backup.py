"""The database's part of a backup: written as of one moment, and put into an empty place, whole or not at all."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec

from audittrail.model.activity import COMMAND_LINE
from audittrail.model.backup import Kind, Manifest, Sequence, Table
from audittrail.model.errors import Conflict, Invalid, NotFound
from audittrail.store import activity, dialect, file_copy, table_copy
from audittrail.store.database import Database
from audittrail.store.migrations import migrate, migrate_within

Write = Callable[[Path], Any]


class Copied(msgspec.Struct, frozen=True):
    """What was written."""

    tables: tuple[Table, ...]
    raw: int  # bytes once it is unpacked
    sequences: tuple[Sequence, ...] = ()


class Snapshot:
    """The database as it was when this was made."""

    def __init__(self, kind: Kind, schema: str, size: int, write: Write) -> None:
        self.kind, self.schema, self.bytes = kind, schema, size
        self._write = write

    async def write(self, folder: Path) -> Copied:
        """Into an empty folder, as files of this user alone."""
        found: Copied = await self._write(folder)
        return found


def database_file(url: str) -> Path | None:
    """The file of the database at this address, where it is one."""
    return dialect.file_of(dialect.parse_url(url))


@asynccontextmanager
async def snapshot(url: str) -> AsyncIterator[Snapshot]:
    """Raises NotFound when there is no database of ours."""
    nothing = NotFound(
        "There is no AuditTrail database at DATABASE_URL. Run this with the environment that the server has."
    )
    file = database_file(url)
    if file is not None:
        if not file.exists():
            raise nothing
        copy = file_copy.FileCopy(file)
        try:
            if copy.schema is None:
                raise nothing

            async def from_file(folder: Path) -> Copied:
                return Copied(copy.write(folder), copy.bytes)

            # Once as it is, and once packed.
            yield Snapshot("sqlite", copy.schema, copy.bytes * 2, from_file)
        finally:
            copy.close()
        return
    async with Database(url) as db, db.snapshot() as conn:
        schema = await table_copy.schema_of(conn)
        if schema is None:
            raise nothing

        async def from_tables(folder: Path) -> Copied:
            tables, raw = await table_copy.write_tables(conn, folder)
            return Copied(tables, raw, await table_copy.sequences_of(conn))

        size = sum(row[2] for row in await table_copy.tables_of(conn))
        yield Snapshot("postgresql", schema, size, from_tables)


async def note_created(url: str, at_us: int, name: str, **detail: Any) -> None:
    """Into the activity log of the database that the backup is of."""
    async with Database(url) as db, db.write() as conn:
        await activity.note(conn, at_us, COMMAND_LINE, "backup.created", name, **detail)


async def is_empty(db: Database) -> bool:
    """Whether the place for a database holds nothing."""
    if db.file is not None:
        return not any(db.file.with_name(db.file.name + end).exists() for end in ("", "-wal", "-journal"))
    async with db.read() as conn:
        return not await table_copy.tables_of(conn)


async def restore(
    url: str, folder: Path, manifest: Manifest, migrations: Path, at_us: int, publish: Callable[[], None]
) -> tuple[str, str]:
    """(schema of the backup, schema now). `publish` is called when all is ready; if it raises, nothing was restored.

    Raises Conflict when the place is not empty, Invalid when the files do not hold what the manifest says.
    """
    async with Database(url) as db:
        if not await is_empty(db):
            raise Conflict(
                "The database at DATABASE_URL is not empty, and a backup is never restored over one. Name another "
                "place, or move what is there away."
            )
        if db.file is None:
            return await _restore_tables(db, folder, manifest, migrations, at_us, publish)
        file = db.file
    return await _restore_file(url, file, folder, manifest, migrations, at_us, publish)


async def _restore_file(
    url: str, file: Path, folder: Path, manifest: Manifest, migrations: Path, at_us: int, publish: Callable[[], None]
) -> tuple[str, str]:
    aside = file.with_name(file.name + ".restoring")
    try:
        drop(aside)  # of a restore that was killed
        tables = file_copy.unpack_file(folder / file_copy.NAME, aside)
        _compare({table.name: table.rows for table in tables}, manifest)
        there = dialect.parse_url(url).set(database=str(aside))
        async with Database(there.render_as_string(hide_password=False)) as db:
            _, now = await migrate(db, migrations)
            async with db.write() as conn:
                await _note_restored(conn, manifest, at_us)
        publish()
        aside.rename(file)
    finally:
        drop(aside)
    return manifest.schema, now


def drop(file: Path) -> None:
    """A database file and what lies beside it."""
    for end in ("", "-wal", "-shm", "-journal"):
        file.with_name(file.name + end).unlink(missing_ok=True)


async def _restore_tables(
    db: Database, folder: Path, manifest: Manifest, migrations: Path, at_us: int, publish: Callable[[], None]
) -> tuple[str, str]:
    """In one transaction, tables and all."""
    async with db.write() as conn:
        await migrate_within(conn, migrations, manifest.schema)
        _compare(await table_copy.read_tables(conn, folder, manifest.tables, manifest.sequences), manifest)
        _, now = await migrate_within(conn, migrations)
        await _note_restored(conn, manifest, at_us)
        publish()
    return manifest.schema, now


async def _note_restored(conn: Any, manifest: Manifest, at_us: int) -> None:
    await activity.note(
        conn, at_us, COMMAND_LINE, "backup.restored", manifest.name, rows=manifest.rows, made_us=manifest.made_us
    )


def _compare(rows: dict[str, int], manifest: Manifest) -> None:
    if rows != {table.name: table.rows for table in manifest.tables}:
        raise Invalid("The tables in the backup have other numbers of rows than its manifest says. Use another backup.")
