"""A copy of a database that is one file, as of one moment, while a server writes to it."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import quote

from audittrail.model.backup import Table
from audittrail.model.errors import Invalid, Unavailable
from audittrail.store.packing import CHUNK, PackedFile, read_packed

# 1 MiB at a time, synced, then as long a rest. Without the syncs the server's own commits would wait at the end for
# all that the copy has left in the page cache; without the rest they would share the disk for as long as it takes.
BATCH_PAGES = 256
BATCH_BYTES = 1 << 20
NAME = "audittrail.db.zst"


@contextmanager
def _told(what: str) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise Unavailable(f"{what}: {error}. Is there space on the disk, and may this user read and write?") from None


class FileCopy:
    """A transaction on the file: what is committed after it began is not seen, and does not make it start again.

    The online backup by itself begins anew when another process commits, for ever under load; within a transaction it
    stays with its snapshot. What the server writes meanwhile stays in the write-ahead log until this ends.
    """

    def __init__(self, file: Path) -> None:
        with _told(f"{file} cannot be read"):
            # Not read-only: a database that nobody serves has no shared memory file, and a reader has to make it.
            self._source = sqlite3.connect(f"file:{quote(str(file))}?mode=rw", uri=True, isolation_level=None)
            self._source.execute("PRAGMA busy_timeout=10000")
            self._source.execute("PRAGMA query_only=ON")
            self._source.execute("BEGIN")
            (self.pages,) = self._source.execute("PRAGMA page_count").fetchone()
            (size,) = self._source.execute("PRAGMA page_size").fetchone()
            self.schema = schema_of(self._source)
        self.bytes = self.pages * size

    def write(self, folder: Path, pause: Callable[[float], None] = time.sleep) -> tuple[Table, ...]:
        """The copy as a packed file in `folder`; its tables. Raises Unavailable, and Invalid when it is damaged."""
        plain = folder / "copying.db"
        with _told("The database could not be copied"), closing(sqlite3.connect(plain, isolation_level=None)) as target:
            target.execute("PRAGMA synchronous=OFF")  # synced below, batch by batch
            target.execute("PRAGMA journal_mode=OFF")
            fd = os.open(plain, os.O_RDWR)
            try:
                since = time.monotonic()

                def rest(_status: int, _left: int, _total: int) -> None:
                    nonlocal since
                    os.fsync(fd)
                    pause(time.monotonic() - since)
                    since = time.monotonic()

                self._source.backup(target, pages=BATCH_PAGES, progress=rest)
            finally:
                os.close(fd)
            self.close()  # from here on the server's log may shrink again
            tables = check(target)
        _pack(plain, folder / NAME, pause)
        plain.unlink()
        return tables

    def close(self) -> None:
        """May be called twice."""
        self._source.close()


def _pack(plain: Path, to: Path, pause: Callable[[float], None]) -> None:
    packed = PackedFile(to)
    try:
        with plain.open("rb") as file:
            since, unsynced = time.monotonic(), 0
            while data := file.read(CHUNK):
                packed.write(data)
                unsynced += len(data)
                if unsynced >= BATCH_BYTES:
                    packed.sync()
                    pause(time.monotonic() - since)
                    since, unsynced = time.monotonic(), 0
        packed.close()
    finally:
        packed.drop()


def schema_of(conn: sqlite3.Connection) -> str | None:
    """None where there is none."""
    if not conn.execute("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'").fetchone():
        return None
    found = conn.execute("SELECT version_num FROM alembic_version").fetchone()
    return found[0] if found else None


def check(conn: sqlite3.Connection) -> tuple[Table, ...]:
    """Counts every table's rows. Raises Invalid when the file is damaged."""
    (said,) = conn.execute("PRAGMA quick_check(1)").fetchone()
    if said != "ok":
        raise Invalid(f"The database is damaged ({said}): restore an older backup beside it, and compare.")
    names = conn.execute(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND sql NOT LIKE 'CREATE VIRTUAL%' ORDER BY name"
    ).fetchall()
    # Names come from the schema, where only migrations write.
    return tuple(
        Table(name, conn.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0])  # noqa: S608
        for (name,) in names
    )


def unpack_file(packed: Path, to: Path) -> tuple[Table, ...]:
    """Writes the database file `to`, which must not exist; its tables."""
    with to.open("xb") as file:
        for piece in read_packed(packed):
            file.write(piece)
        file.flush()
        os.fsync(file.fileno())
    with _told("The database in the backup cannot be opened"), closing(sqlite3.connect(to)) as conn:
        return check(conn)
